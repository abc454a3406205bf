//! One form that is sent twice leaves the traces of one: one audit entry and one row, and both answers lead to the same address.

mod codes;
mod mails;
mod sign_ins;

use anteroom_flows::context::call::{FormOwner, Visit};
use anteroom_flows::interaction::next::{Next, StepPage};
use anteroom_flows::interaction::open_interaction::{InteractionRef, OpenInteraction};
use anteroom_flows::people::sign_in::SignInOutcome;
use anteroom_testkit::{Backend, Builder};

use crate::browser::{TestBrowser, attempt, page};
use crate::installation::Installation;
use crate::steps::name;

/// How a form is sent twice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Twice {
    InTurn,
    InTurnAtTwoNodes,
    AtOnce,
}

pub(crate) const ALL: [Twice; 3] = [Twice::InTurn, Twice::InTurnAtTwoNodes, Twice::AtOnce];

/// Two nodes, and the rows of their database.
pub(crate) struct Nodes {
    pub(crate) backend: Backend,
    pub(crate) first: Installation,
    pub(crate) second: Installation,
}

impl Nodes {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::with(backend, |it| it).await
    }

    pub(crate) async fn with(backend: Backend, settle: impl FnOnce(Builder) -> Builder) -> Self {
        let first = Installation::with(backend.clone(), settle).await;
        let second = first.another_node().await;
        Self { backend, first, second }
    }

    pub(crate) async fn send<T>(&self, how: Twice, submit: impl AsyncFn(&Installation) -> T) -> [T; 2] {
        match how {
            Twice::InTurn => [Box::pin(submit(&self.first)).await, Box::pin(submit(&self.first)).await],
            Twice::InTurnAtTwoNodes => {
                [Box::pin(submit(&self.first)).await, Box::pin(submit(&self.second)).await]
            }
            Twice::AtOnce => {
                let (one, other) =
                    tokio::join!(Box::pin(submit(&self.first)), Box::pin(submit(&self.second)));
                [one, other]
            }
        }
    }

    /// The results, the entries of this kind that were written meanwhile, and the interactions.
    pub(crate) async fn traces<T>(
        &self,
        how: Twice,
        kind: &str,
        submit: impl AsyncFn(&Installation) -> T,
    ) -> ([T; 2], usize, i64) {
        let entries = self.first.audited(kind).await.len();
        let rows = self.backend.rows().await["interactions"];
        let results = self.send(how, submit).await;
        let entries = self.first.audited(kind).await.len() - entries;
        (results, entries, self.backend.rows().await["interactions"] - rows)
    }
}

/// A form of a browser, with the cookies that the browser has at each submission: those of before.
pub(crate) struct Form<'a> {
    pub(crate) browser: &'a TestBrowser,
    pub(crate) token: String,
    pub(crate) owner: FormOwner,
}

impl<'a> Form<'a> {
    pub(crate) fn new(at: &Nodes, browser: &'a TestBrowser) -> Self {
        let token = at.first.node.random.token().encode();
        Self { browser, token, owner: FormOwner::default() }
    }

    pub(crate) fn on(at: &Nodes, browser: &'a TestBrowser, page: &StepPage) -> Self {
        Self { owner: page.owner(), ..Self::new(at, browser) }
    }

    pub(crate) fn visit(&self, node: &Installation) -> Visit {
        Visit { form: self.owner, ..self.browser.form_with(node, &self.token) }
    }

    pub(crate) async fn sign_in(
        &self,
        node: &Installation,
        address: &str,
        password: &str,
        interaction_ref: Option<&InteractionRef>,
    ) -> SignInOutcome {
        attempt(self.visit(node), address, password, interaction_ref.cloned()).await.unwrap()
    }
}

pub(crate) fn reference(at: &Nodes, interaction: &OpenInteraction) -> InteractionRef {
    crate::browser::reference(&at.first.local(), interaction).unwrap()
}

pub(crate) fn address_of(at: &Nodes, next: Next, expected: &str) -> String {
    assert_eq!(name(&next), expected);
    page(next).interaction.form_value(&at.first.local()).unwrap().unwrap()
}

pub(crate) fn next_of(outcome: SignInOutcome) -> Next {
    match outcome {
        SignInOutcome::SignedIn { next, .. } | SignInOutcome::Proven { next } => next,
        other => panic!("{other:?}"),
    }
}

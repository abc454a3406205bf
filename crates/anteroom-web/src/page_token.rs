//! The form tokens of a page to be rendered.

use anteroom_flows::context::call::FormOwner;

use crate::form_token::{self, FormContext, FormName};
use crate::page_context::PageContext;

/// The browser and the time to which a form token is bound.
pub(crate) fn here(context: &PageContext) -> FormContext {
    FormContext { browser: context.visit.browser.id, now: context.visit.now }
}

/// The token of a form on a page that shows `owner`.
pub(crate) fn token_for(context: &PageContext, form: FormName, owner: FormOwner) -> String {
    let provider = &context.web.provider;
    if provider.readiness.is_beside_release_0_1() {
        return form_token::make_for_release_0_1(&provider.keyring, form, here(context));
    }
    let page = form_token::FormPage { at: here(context), owner, number: provider.random.bytes() };
    form_token::make(&provider.keyring, form, page)
}

/// The same for a page that shows no account.
pub(crate) fn token_without_account(context: &PageContext, form: FormName) -> String {
    token_for(context, form, FormOwner::default())
}

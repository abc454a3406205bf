//! The tables as sea-orm sees them, column for column as the migrations made them. Some columns keep the names of release 0.1.0:
//! `interactions.journey` is the state, `sessions.left_at` is `not_current_since`, `refresh_tokens.entered_*` is the last audited
//! refresh.

/// The columns of the primary key come first, in brackets.
macro_rules! entities {
    ($($module:ident = $table:literal [$($key:ident: $key_type:ty),+] { $($column:ident: $type:ty,)* })+) => {$(
        #[expect(unreachable_pub, reason = "sea-orm's derives make everything public; the module is what hides it")]
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model {
                $(#[sea_orm(primary_key, auto_increment = false)] pub $key: $key_type,)+
                $(pub $column: $type,)*
            }

            #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    )+};
}

entities! {
    accounts = "accounts" [id: Uuid] {
        status: String,
        epoch: i64,
        profile: String,
        locale: Option<String>,
        unknown_failures: i32,
        unknown_locked_at: Option<i64>,
        locked_at: Option<i64>,
        created_at: i64,
        updated_at: i64,
        disabled_at: Option<i64>,
        earlier_failures: i32,
    }
    account_addresses = "account_addresses" [id: Uuid] {
        account_id: Uuid,
        address: String,
        folded: String,
        is_primary: bool,
        verified_at: Option<i64>,
        usable_from: i64,
        created_at: i64,
    }
    password_credentials = "password_credentials" [account_id: Uuid] {
        hash: String,
        set_at: i64,
        expiry_jitter_days: i32,
        must_change: bool,
        warned_days: Option<i32>,
        form: Option<i32>,
    }
    password_history = "password_history" [id: Uuid] {
        account_id: Uuid,
        hash: String,
        retired_at: i64,
        form: Option<i32>,
    }
    phones = "phones" [id: Uuid] {
        account_id: Uuid,
        e164: String,
        kind: String,
        position: i32,
        verified_at: Option<i64>,
        usable_from: i64,
        created_at: i64,
    }
    account_usernames = "account_usernames" [folded: String] {
        account_id: Uuid,
    }
    account_groups = "account_groups" [account_id: Uuid, group_name: String] {}
    known_devices = "known_devices" [id: Uuid] {
        account_id: Uuid,
        failures: i32,
        stepped_up_at: Option<i64>,
        label: String,
        created_at: i64,
        last_seen_at: i64,
        revoked_at: Option<i64>,
        reset_at: Option<i64>,
        password_epoch: Option<i64>,
    }
    totp_factors = "totp_factors" [id: Uuid] {
        account_id: Uuid,
        secret_sealed: Vec<u8>,
        confirmed_at: Option<i64>,
        usable_from: i64,
        last_step: Option<i64>,
        created_at: i64,
    }
    sessions = "sessions" [id: Uuid] {
        token_digest: Vec<u8>,
        account_id: Uuid,
        epoch: i64,
        browser_id: Uuid,
        device_id: Option<Uuid>,
        auth_time: i64,
        acr: String,
        amr: String,
        created_at: i64,
        last_active_at: i64,
        ended_at: Option<i64>,
        end_reason: Option<String>,
        sid_by_sector: Option<bool>,
        left_at: Option<i64>,
        answered_form: Option<Vec<u8>>,
        answered_at: Option<i64>,
    }
    interactions = "interactions" [id: Uuid] {
        handle_digest: Vec<u8>,
        journey: String,
        proof: Option<String>,
        created_at: i64,
        expires_at: i64,
        finished_at: Option<i64>,
        answer: Option<Vec<u8>>,
    }
    links = "links" [id: Uuid] {
        kind: String,
        account_id: Option<Uuid>,
        token_digest: Vec<u8>,
        typed_digest: Option<Vec<u8>>,
        browser_id: Option<Uuid>,
        interaction_id: Option<Uuid>,
        typed_tries: i32,
        created_at: i64,
        expires_at: i64,
        used_at: Option<i64>,
        pressed_in: Option<Uuid>,
        ended_at: Option<i64>,
        completed_at: Option<i64>,
        asked_address: Option<Vec<u8>>,
        asked_until: Option<i64>,
        asked_sealed: Option<Vec<u8>>,
        counted_form: Option<Vec<u8>>,
        counted_at: Option<i64>,
    }
    one_time_codes = "one_time_codes" [id: Uuid] {
        account_id: Uuid,
        purpose: String,
        phone_id: Option<Uuid>,
        method: String,
        interaction_id: Option<Uuid>,
        code_digest: Vec<u8>,
        message_id: Uuid,
        created_at: i64,
        expires_at: i64,
        used_at: Option<i64>,
        superseded_at: Option<i64>,
        stepped_up: Option<bool>,
    }
    code_attempts = "code_attempts" [account_id: Uuid, purpose: String, at: i64, id: Uuid] {
        stepped_up: Option<bool>,
    }
    consents = "consents" [account_id: Uuid, client_id: String] {
        scopes: String,
        granted_at: i64,
    }
    grants = "grants" [id: Uuid] {
        client_id: String,
        account_id: Uuid,
        session_id: Uuid,
        epoch: i64,
        scopes: String,
        claims: Option<String>,
        resources: Option<String>,
        nonce: Option<String>,
        auth_time: i64,
        acr: String,
        amr: String,
        offline: bool,
        created_at: i64,
        expires_at: i64,
        revoked_at: Option<i64>,
        revoke_reason: Option<String>,
        subject_sector: Option<String>,
        sid_by_sector: Option<bool>,
    }
    configured_clients = "configured_clients" [client_id: String] {
        subject_sector: Option<String>,
        seen_at: i64,
    }
    offline_consents = "offline_consents" [device_id: Uuid, client_id: String] {
        granted_at: i64,
    }
    refresh_tokens = "refresh_tokens" [grant_id: Uuid] {
        generation: i64,
        rotated_at: i64,
        idle_expires_at: i64,
        expires_at: i64,
        noted_generation: Option<i64>,
        rotated_from: Option<String>,
        repeats: i64,
        entered_generation: Option<i64>,
        entered_at: Option<i64>,
        entered_from: Option<String>,
    }
    revoked_jti = "revoked_jti" [jti: String] {
        expires_at: i64,
    }
    assertion_jti = "assertion_jti" [client_id: String, jti: String] {
        expires_at: i64,
    }
    pushed_requests = "pushed_requests" [digest: Vec<u8>] {
        client_id: String,
        parameters: String,
        browser_id: Option<Uuid>,
        expires_at: i64,
    }
    signing_keys = "signing_keys" [kid: String] {
        algorithm: String,
        public_jwk: String,
        private_sealed: Vec<u8>,
        created_at: i64,
        signs_from: i64,
        signs_until: Option<i64>,
        published_until: Option<i64>,
    }
    encryption_keys = "encryption_keys" [kid: String] {
        kind: String,
        private_sealed: Vec<u8>,
        created_at: i64,
        published_from: i64,
        published_until: Option<i64>,
        decrypts_until: Option<i64>,
    }
    registered_clients = "registered_clients" [client_id: String] {
        revision: i64,
        metadata: String,
        secret_digest: Option<Vec<u8>>,
        registration_token_digest: Option<Vec<u8>>,
        created_at: i64,
        updated_at: i64,
        deleted_at: Option<i64>,
        with_initial_token: Option<bool>,
    }
    sealed_keys = "sealed_keys" [purpose: String, version: i32] {
        sealed: Vec<u8>,
        created_at: i64,
    }
    messages = "messages" [id: Uuid] {
        kind: String,
        channel: String,
        recipient: String,
        sealed_payload: Option<Vec<u8>>,
        locale: Option<String>,
        account_id: Option<Uuid>,
        state: String,
        attempts: i32,
        next_attempt_at: i64,
        created_at: i64,
        expires_at: i64,
        done_at: Option<i64>,
        last_error: Option<String>,
        reference: Option<String>,
    }
    logout_deliveries = "logout_deliveries" [id: Uuid] {
        client_id: String,
        session_id: Uuid,
        account_id: Uuid,
        attempts: i32,
        next_attempt_at: i64,
        created_at: i64,
        expires_at: i64,
        subject_sector: Option<String>,
    }
    audit_entries = "audit_entries" [id: Uuid] {
        at: i64,
        kind: String,
        outcome: String,
        actor: String,
        actor_account: Option<Uuid>,
        subject_account: Option<Uuid>,
        client_id: Option<String>,
        session_id: Option<Uuid>,
        address: Option<String>,
        reference: Option<String>,
        detail: String,
        mac: Vec<u8>,
        chain_seq: Option<i64>,
        chain_digest: Option<Vec<u8>>,
    }
    audit_waiting = "audit_waiting" [at: i64, id: Uuid] {
        kind: String,
        outcome: String,
        actor: String,
        actor_account: Option<Uuid>,
        subject_account: Option<Uuid>,
        client_id: Option<String>,
        session_id: Option<Uuid>,
        address: Option<String>,
        reference: Option<String>,
        detail: String,
        mac: Vec<u8>,
    }
    audit_checkpoints = "audit_checkpoints" [seq: i64] {
        digest: Vec<u8>,
        signature: Vec<u8>,
        at: i64,
    }
    audit_head = "audit_head" [id: i32] {
        seq: i64,
        digest: Vec<u8>,
        mac: Vec<u8>,
    }
    audit_pruned = "audit_pruned" [seq: i64] {
        digest: Vec<u8>,
        signature: Vec<u8>,
        at: i64,
        older_than: i64,
    }
    instance = "instance" [id: i32] {
        epoch: i64,
        kind: String,
        created_at: i64,
        keys_version: i64,
        clients_revision: i64,
        went_back_at: Option<i64>,
        went_back_seq: Option<i64>,
    }
    nodes = "nodes" [id: Uuid] {
        config_digest: String,
        started_at: i64,
        seen_at: i64,
        release: Option<String>,
    }
}

/** What `UserManager` of oidc-client-ts is told, for an application whose pages are at `app`. */
export const settings = (issuer, app, client_id, scope) => ({
  authority: issuer,
  client_id,
  scope,
  redirect_uri: `${app}/callback`,
  silent_redirect_uri: `${app}/callback`,
  post_logout_redirect_uri: `${app}/signed-out`,
  loadUserInfo: true,
});

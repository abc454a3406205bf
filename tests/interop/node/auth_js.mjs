const { ANTEROOM_ISSUER, ANTEROOM_SECRET, AUTH_SECRET, HANDBOOK_URL } = process.env;

/** Where a person goes on to who has signed out here: Anteroom asks whether they sign out there as well, and leads back. */
const back = { client_id: "handbook", post_logout_redirect_uri: `${HANDBOOK_URL}/` };
export const endSession = `${ANTEROOM_ISSUER}/end-session?${new URLSearchParams(back)}`;

export const config = {
  basePath: "/auth",
  secret: AUTH_SECRET,
  trustHost: true,
  providers: [
    {
      id: "anteroom",
      name: "the practice",
      type: "oidc",
      issuer: ANTEROOM_ISSUER,
      clientId: "handbook",
      clientSecret: ANTEROOM_SECRET,
      authorization: { params: { scope: "openid email groups" } },
      checks: ["pkce", "state", "nonce"],
      // These are the claims of the ID token.
      profile: ({ sub, email, groups }) => ({ id: sub, email, groups }),
    },
  ],
  callbacks: {
    // Auth.js leads to addresses of the application alone, unless it is told of another.
    redirect: ({ url, baseUrl }) => {
      const { href, origin } = new URL(url, baseUrl);
      return href === endSession || origin === baseUrl ? href : baseUrl;
    },
    jwt: ({ token, user }) => (user ? { ...token, groups: user.groups } : token),
    session: ({ session, token }) => ({ ...session, user: { ...session.user, groups: token.groups } }),
  },
};

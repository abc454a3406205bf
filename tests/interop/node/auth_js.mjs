const { ANTEROOM_ISSUER, ANTEROOM_SECRET, AUTH_SECRET } = process.env;

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
    jwt: ({ token, user }) => (user ? { ...token, groups: user.groups } : token),
    session: ({ session, token }) => ({ ...session, user: { ...session.user, groups: token.groups } }),
  },
};

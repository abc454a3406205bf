// An application in Go: github.com/coreos/go-oidc checks ID tokens, golang.org/x/oauth2 fetches tokens. It listens on a free
// port of loopback and says where.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// The book has what is between these marks.
// ANCHOR: application
type application struct {
	provider *oidc.Provider
	config   oauth2.Config
}

func newApplication(ctx context.Context) (*application, error) {
	provider, err := oidc.NewProvider(ctx, os.Getenv("ANTEROOM_ISSUER"))
	if err != nil {
		return nil, err
	}
	return &application{provider, oauth2.Config{
		ClientID:     "referrals",
		ClientSecret: os.Getenv("ANTEROOM_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  "https://referrals.practice.example/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}}, nil
}

// What has to come back with the browser: in a cookie for the time of one sign-in.
type pending struct{ State, Nonce, Verifier string }

func (app *application) signIn(w http.ResponseWriter, r *http.Request) {
	begun := pending{oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()}
	remember(w, begun)
	address := app.config.AuthCodeURL(begun.State, oidc.Nonce(begun.Nonce), oauth2.S256ChallengeOption(begun.Verifier))
	http.Redirect(w, r, address, http.StatusFound)
}

func (app *application) callback(r *http.Request, begun pending) (*oidc.IDToken, *oauth2.Token, error) {
	query := r.URL.Query()
	if query.Get("state") != begun.State || query.Get("iss") != os.Getenv("ANTEROOM_ISSUER") {
		return nil, nil, fmt.Errorf("this is not the answer to what was asked")
	}
	if refused := query.Get("error"); refused != "" {
		return nil, nil, fmt.Errorf("%s: %s", refused, query.Get("error_description"))
	}
	token, err := app.config.Exchange(r.Context(), query.Get("code"), oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return nil, nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	person, err := app.provider.Verifier(&oidc.Config{ClientID: app.config.ClientID}).Verify(r.Context(), raw)
	if err != nil {
		return nil, nil, err
	}
	if person.Nonce != begun.Nonce {
		return nil, nil, fmt.Errorf("the ID token is of another sign-in")
	}
	return person, token, person.VerifyAccessToken(token.AccessToken)
}

// ANCHOR_END: application

const cookie = "sign-in"

func remember(w http.ResponseWriter, begun pending) {
	value := begun.State + "." + begun.Nonce + "." + begun.Verifier
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: value, Path: "/", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func remembered(r *http.Request) (pending, error) {
	kept, err := r.Cookie(cookie)
	if err != nil {
		return pending{}, err
	}
	parts := strings.Split(kept.Value, ".")
	if len(parts) != 3 {
		return pending{}, fmt.Errorf("the cookie is not ours")
	}
	return pending{parts[0], parts[1], parts[2]}, nil
}

// How the secret is sent: in the header, in the form, or as the library finds out by itself.
var styles = map[string]oauth2.AuthStyle{
	"header": oauth2.AuthStyleInHeader,
	"form":   oauth2.AuthStyleInParams,
	"auto":   oauth2.AuthStyleAutoDetect,
}

// What a sign-in came to: with the first style, and at once refreshed with the other.
type outcome struct {
	Subject  string         `json:"subject"`
	Before   *oauth2.Token  `json:"before"`
	After    *oauth2.Token  `json:"after"`
	UserInfo map[string]any `json:"userinfo"`
}

func (app *application) outcome(r *http.Request, first, then oauth2.AuthStyle) (*outcome, error) {
	begun, err := remembered(r)
	if err != nil {
		return nil, err
	}
	app.config.Endpoint.AuthStyle = first
	person, before, err := app.callback(r, begun)
	if err != nil {
		return nil, err
	}
	app.config.Endpoint.AuthStyle = then
	refreshed := app.config.TokenSource(r.Context(), &oauth2.Token{RefreshToken: before.RefreshToken})
	after, err := refreshed.Token()
	if err != nil {
		return nil, err
	}
	info, err := app.provider.UserInfo(r.Context(), refreshed)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return &outcome{person.Subject, before, after, claims}, info.Claims(&claims)
}

func main() {
	app, err := newApplication(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	first, then := styles[os.Args[1]], styles[os.Args[2]]
	http.HandleFunc("GET /sign-in", app.signIn)
	http.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		came, err := app.outcome(r, first, then)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(came)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Ready: http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

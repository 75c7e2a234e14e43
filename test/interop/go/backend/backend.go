// Package backend issues and revokes the tokens of an application's users.
package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type Backend struct {
	authURL, identity string
	client            *http.Client
}

// New returns a backend with an HTTP client that fetches and sends the backend's own token. A user's token
// never outlives that token, which is replaced half an hour before its end.
func New(authURL, identity, registrationCode string) *Backend {
	config := clientcredentials.Config{ClientID: identity, ClientSecret: registrationCode, TokenURL: authURL + "/oauth/token"}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: 15 * time.Second})
	source := oauth2.ReuseTokenSourceWithExpiry(nil, tokenSource{ctx, &config}, 30*time.Minute)
	client := oauth2.NewClient(ctx, source)
	client.Timeout = 15 * time.Second
	return &Backend{authURL, identity, client}
}

// tokenSource fetches a new token at each call; Config's own source would keep the old one.
type tokenSource struct {
	ctx    context.Context
	config *clientcredentials.Config
}

func (s tokenSource) Token() (*oauth2.Token, error) { return s.config.Token(s.ctx) }

func (b *Backend) post(path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	response, err := b.client.Post(b.authURL+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("auth answered %s with %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// Token is what the browser gets; ExpiresIn is in seconds.
type Token struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

// Issue issues a token. The order has subject, and optionally scope or channel, ttlSeconds, labels.
func (b *Backend) Issue(order map[string]any) (token Token, err error) {
	return token, b.post("/v1/tokens", order, &token)
}

// Revoke revokes all tokens of a user, and returns when that has taken effect at every node.
func (b *Backend) Revoke(subject string) error {
	var receipt struct {
		ID       string
		Complete bool
	}
	order := map[string]any{"identity": b.identity, "subject": subject, "wait": 10_000}
	if err := b.post("/v1/revocations", order, &receipt); err != nil {
		return err
	}
	if !receipt.Complete {
		return fmt.Errorf("revocation %s is not confirmed yet by every node", receipt.ID)
	}
	return nil
}

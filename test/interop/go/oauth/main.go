// A service with golang.org/x/oauth2, unmodified: its HTTP client fetches tokens and sends them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	. "portcullis.example/interop/support"
)

// config returns the client's configuration, from the server's metadata.
func config(code string, style oauth2.AuthStyle) *clientcredentials.Config {
	response, err := http.Get(Auth + "/.well-known/oauth-authorization-server")
	Must(err)
	defer response.Body.Close()
	var metadata struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	Must(json.NewDecoder(response.Body).Decode(&metadata))
	return &clientcredentials.Config{
		ClientID:     Identity,
		ClientSecret: code,
		TokenURL:     metadata.TokenEndpoint,
		Scopes:       []string{"introspect", "publish:demo:*"},
		AuthStyle:    style,
	}
}

// post sends a form with the client's token, and returns the status and the body of the answer.
func post(client *http.Client, address string, form url.Values) (int, string) {
	response, err := client.PostForm(address, form)
	Must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Must(err)
	return response.StatusCode, string(text)
}

func main() {
	ctx := context.Background()
	styles := map[string]oauth2.AuthStyle{
		"the header": oauth2.AuthStyleInHeader,
		"the body":   oauth2.AuthStyleInParams,
		"either":     oauth2.AuthStyleAutoDetect,
	}
	for name, style := range styles {
		token, err := config(Code, style).Token(ctx)
		Must(err)
		Ok(token.Valid() && token.Type() == "Bearer", "client credentials with the secret in "+name, token.Type())
	}

	_, err := config("wrong", oauth2.AuthStyleInHeader).Token(ctx)
	var refused *oauth2.RetrieveError
	Ok(errors.As(err, &refused) && refused.ErrorCode == "invalid_client", "a wrong secret is refused by name", err)

	source := config(Code, oauth2.AuthStyleInHeader).TokenSource(ctx)
	token, err := source.Token()
	Must(err)
	client := oauth2.NewClient(ctx, source)
	status, answer := post(client, Auth+"/oauth/introspect", url.Values{"token": {token.AccessToken}})
	Ok(status == 200 && strings.Contains(answer, `"active":true`), "introspection with the client's token", answer)
	publication := strings.NewReader(`{"channel":"demo:oauth","data":{}}`)
	response, err := client.Post(Node+"/api/publish", "application/json", publication)
	Must(err)
	response.Body.Close()
	Ok(response.StatusCode == 200, "the server API with the client's token", response.Status)

	form := url.Values{"token": {token.AccessToken}, "client_id": {Identity}, "client_secret": {Code}}
	status, answer = post(http.DefaultClient, Auth+"/oauth/revoke", form)
	Ok(status == 200, "revocation", answer)
	status, answer = post(client, Auth+"/oauth/introspect", url.Values{"token": {token.AccessToken}})
	Ok(status == 401, "the revoked token is refused", answer)
}

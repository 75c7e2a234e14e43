// Package support has what the programs share: an installation of Portcullis, and a report on standard
// output. Each line of the report is "ok <what holds>". The first failure ends the program.
package support

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"
)

var (
	Auth = os.Getenv("AUTH_URL")
	Node = os.Getenv("NODE_URL")
	// Socket is the WebSocket of the same node, through a network that Network cuts and mends.
	Socket   = os.Getenv("SOCKET_URL")
	Identity = os.Getenv("IDENTITY")
	Code     = os.Getenv("REGISTRATION_CODE")
)

const userScope = "subscribe:demo:* publish:demo:* presence:demo:* history:demo:*"

// Ok reports what holds, or ends the program and shows what it has seen instead.
func Ok(holds bool, what string, seen ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: %+v\n", what, seen)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

// Must ends the program with an error.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Wait returns the next value of a channel. It ends the program if none comes within a minute.
func Wait[T any](events <-chan T, what string) T {
	select {
	case event := <-events:
		return event
	case <-time.After(time.Minute):
		Must(fmt.Errorf("waited in vain for %s", what))
		panic("unreachable")
	}
}

// Post sends JSON, and decodes the answer's JSON into answer. It ends the program unless the status is
// the expected one.
func Post(url string, token string, body any, status int, answer any) {
	text, err := json.Marshal(body)
	Must(err)
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(text))
	Must(err)
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	Must(err)
	defer response.Body.Close()
	if response.StatusCode != status {
		Must(fmt.Errorf("%s: status %d", url, response.StatusCode))
	}
	Must(json.NewDecoder(response.Body).Decode(answer))
}

// Service is the application's backend: it issues tokens of its users, revokes them, and publishes.
type Service struct{ token string }

// NewService fetches a token of the service itself: OAuth client credentials.
func NewService() Service {
	response, err := http.PostForm(Auth+"/oauth/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {Identity},
		"client_secret": {Code},
	})
	Must(err)
	defer response.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	Must(json.NewDecoder(response.Body).Decode(&token))
	return Service{token.AccessToken}
}

func (s Service) Issue(subject string, ttlSeconds int) string {
	var token struct {
		AccessToken string `json:"access_token"`
	}
	body := map[string]any{"subject": subject, "scope": userScope, "ttlSeconds": ttlSeconds}
	Post(Auth+"/v1/tokens", s.token, body, http.StatusCreated, &token)
	return token.AccessToken
}

// Receipt shows whether a revocation has taken effect everywhere.
type Receipt struct {
	Complete bool
	Tokens   int
}

// Revoke revokes all tokens of the user, and returns the receipt once it is complete.
func (s Service) Revoke(subject string) Receipt {
	var receipt Receipt
	body := map[string]any{"identity": Identity, "subject": subject, "wait": 10_000}
	Post(Auth+"/v1/revocations", s.token, body, http.StatusCreated, &receipt)
	return receipt
}

func (s Service) IsActive(token string) bool {
	var answer struct{ Results []struct{ Active bool } }
	body := map[string]any{"tokens": []string{token}}
	Post(Auth+"/v1/introspections", s.token, body, http.StatusOK, &answer)
	return answer.Results[0].Active
}

func (s Service) Publish(channel string, data string) {
	var answer struct{ Error any }
	body := map[string]any{"channel": channel, "data": json.RawMessage(data)}
	Post(Node+"/api/publish", s.token, body, http.StatusOK, &answer)
	if answer.Error != nil {
		Must(fmt.Errorf("publish: %v", answer.Error))
	}
}

// Network cuts the clients' connections and refuses new ones ("cut"), until "resume".
func Network(command string) {
	var answer any
	Post(os.Getenv("CONTROL_URL")+"/"+command, "", struct{}{}, http.StatusOK, &answer)
}

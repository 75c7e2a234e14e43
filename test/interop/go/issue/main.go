// The backend of docs/backend.md, against an installation.
package main

import (
	"portcullis.example/interop/backend"
	. "portcullis.example/interop/support"
)

func main() {
	shop := backend.New(Auth, Identity, Code)
	token, err := shop.Issue(map[string]any{"subject": "ada", "scope": "subscribe:demo:*", "ttlSeconds": 600})
	Must(err)
	Ok(token.ExpiresIn > 0 && token.ExpiresIn <= 600, "a token for a user", token.ExpiresIn)
	room, err := shop.Issue(map[string]any{"subject": "ada", "channel": "demo:7"})
	Must(err)
	other, err := shop.Issue(map[string]any{"subject": "bob"})
	Must(err)

	service := NewService()
	Must(shop.Revoke("ada"))
	Ok(!service.IsActive(token.AccessToken), "the user's token is inactive")
	Ok(!service.IsActive(room.AccessToken), "the user's token for one channel is inactive")
	Ok(service.IsActive(other.AccessToken), "another user's token is active")

	_, err = backend.New(Auth, Identity, "wrong").Issue(map[string]any{"subject": "ada"})
	Ok(err != nil, "a wrong registration code is an error")
}

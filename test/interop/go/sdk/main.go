// A client and a backend with centrifuge-go, unmodified. PROTOBUF=1 selects the binary protocol.
package main

import (
	"context"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge-go"
	. "portcullis.example/interop/support"
)

var isProtobuf = os.Getenv("PROTOBUF") == "1"

var channel = map[bool]string{false: "demo:go-json", true: "demo:go-protobuf"}[isProtobuf]

// client is a client of the SDK with one subscription, and what the SDK has told about it.
type client struct {
	sdk          *centrifuge.Client
	subscription *centrifuge.Subscription
	publications chan string
	connecting   chan centrifuge.ConnectingEvent
	subscribed   chan centrifuge.SubscribedEvent
	disconnected chan centrifuge.DisconnectedEvent
}

// newClient returns a client that is not connected yet.
func newClient(getToken func() string) client {
	config := centrifuge.Config{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
		return getToken(), nil
	}}
	c := client{
		publications: make(chan string, 100),
		connecting:   make(chan centrifuge.ConnectingEvent, 100),
		subscribed:   make(chan centrifuge.SubscribedEvent, 100),
		disconnected: make(chan centrifuge.DisconnectedEvent, 100),
	}
	if isProtobuf {
		c.sdk = centrifuge.NewProtobufClient(Socket, config)
	} else {
		c.sdk = centrifuge.NewJsonClient(Socket, config)
	}
	c.sdk.OnConnecting(func(e centrifuge.ConnectingEvent) { c.connecting <- e })
	c.sdk.OnDisconnected(func(e centrifuge.DisconnectedEvent) { c.disconnected <- e })
	subscription, err := c.sdk.NewSubscription(channel)
	Must(err)
	c.subscription = subscription
	c.subscription.OnPublication(func(e centrifuge.PublicationEvent) { c.publications <- string(e.Data) })
	c.subscription.OnSubscribed(func(e centrifuge.SubscribedEvent) { c.subscribed <- e })
	return c
}

func (c client) connect() {
	Must(c.sdk.Connect())
	Must(c.subscription.Subscribe())
	Wait(c.subscribed, "the subscription")
	Wait(c.connecting, "the first connection")
}

func main() {
	service := NewService()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	adaToken := service.Issue("ada", 3600)
	ada := newClient(func() string { return adaToken })
	ada.connect()
	Ok(true, "connects with a token and subscribes")

	_, err := ada.subscription.Publish(ctx, []byte(`{"n":1}`))
	Must(err)
	published := Wait(ada.publications, "the publication")
	Ok(published == `{"n":1}`, "publishes and receives", published)
	history, err := ada.subscription.History(ctx, centrifuge.WithHistoryLimit(10))
	Must(err)
	isStored := len(history.Publications) == 1 && string(history.Publications[0].Data) == `{"n":1}`
	Ok(isStored && history.Offset == 1, "reads the history", history)
	presence, err := ada.subscription.Presence(ctx)
	Must(err)
	users := []string{}
	for _, info := range presence.Clients {
		users = append(users, info.User)
	}
	Ok(slices.Equal(users, []string{"ada"}), "reads the presence", users)

	Network("cut")
	Wait(ada.connecting, "the cut")
	service.Publish(channel, `{"n":2}`)
	service.Publish(channel, `{"n":3}`)
	Network("resume")
	again := Wait(ada.subscribed, "the next subscription")
	missed := []string{Wait(ada.publications, "what it missed"), Wait(ada.publications, "the rest")}
	isRecovered := again.WasRecovering && again.Recovered && slices.Equal(missed, []string{`{"n":2}`, `{"n":3}`})
	Ok(isRecovered, "recovers what it missed, after a cut", again, missed)

	// The first token ends soon; the SDK asks for another, and stays connected.
	var asked atomic.Int32
	brief := make(chan string, 10)
	bob := newClient(func() string {
		ttlSeconds := 3600
		if asked.Add(1) == 1 {
			ttlSeconds = 2
		}
		token := service.Issue("bob", ttlSeconds)
		brief <- token
		return token
	})
	bob.connect()
	first := Wait(brief, "the first token")
	Wait(brief, "the next token")
	for service.IsActive(first) {
	}
	service.Publish(channel, `{"n":4}`)
	isHere := Wait(bob.publications, "a publication to bob") == `{"n":4}`
	Ok(isHere && len(bob.connecting) == 0, "renews its token and stays connected")

	Wait(ada.publications, "a publication to ada")
	receipt := service.Revoke("ada")
	Ok(receipt.Complete && receipt.Tokens == 1, "a revocation's receipt is complete", receipt)
	service.Publish(channel, `{"n":5}`)
	Wait(bob.publications, "a publication after the revocation")
	closed := Wait(ada.disconnected, "the end of the revoked client")
	Ok(closed.Code == 4500, "the revoked client is closed with 4500, for good", closed)
	Ok(len(ada.publications) == 0, "and receives nothing after the receipt")

	late := newClient(func() string { return adaToken })
	Must(late.sdk.Connect())
	refused := Wait(late.disconnected, "the refusal")
	Ok(refused.Code == 3500, "a revoked token is refused for good", refused)
	bob.sdk.Close()
}

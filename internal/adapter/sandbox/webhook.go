package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// Message is what the shop is told: which payment changed, and how. It does not say what the payment is now; whoever
// wants to know asks.
type Message struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Payment string `json:"payment"`
}

// write keeps a message to be sent, in the transaction of what it is about; faults of the operation “webhook” make it
// come late, twice, forged or never.
func (s *Server) write(ctx context.Context, tx pgx.Tx, paymentID, kind string) error {
	copies, forged, due := 1, false, time.Now()
	switch s.fault(ctx, "webhook") {
	case "never":
		copies = 0
	case "twice":
		copies = 2
	case "late":
		due = due.Add(3 * time.Second)
	case "forged":
		forged = true
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO sandbox.event (id, payment_id, kind, copies, forged, due_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, "ev_"+rand.Text(), paymentID, "payment."+kind, copies, forged, due)
	return err
}

// Deliver sends messages until the context ends: at least once each, in no promised order, again after a failure for a
// while. It looks for them whenever somebody posted something here, when the next is due, and every five seconds.
func (s *Server) Deliver(ctx context.Context) {
	for ctx.Err() == nil {
		wait := s.untilDue(ctx)
		if wait <= 0 {
			if sent, err := s.deliverNext(ctx); err == nil && sent {
				continue
			}
			wait = 100 * time.Millisecond // Another process has it, or it could not be sent and is due again later.
		}
		select {
		case <-ctx.Done():
		case <-s.posted:
		case <-time.After(wait):
		}
	}
}

// untilDue is how long it is until the next message is due, five seconds at most.
func (s *Server) untilDue(ctx context.Context) time.Duration {
	var seconds float64
	if s.Hook == "" {
		return 5 * time.Second
	}
	err := s.DB.QueryRow(ctx, `
		SELECT least(5, coalesce(extract(epoch FROM min(due_at) - now()), 5))::float8
		FROM sandbox.event
		WHERE copies > 0 AND tries < 20`).Scan(&seconds)
	if err != nil {
		return 5 * time.Second
	}
	return time.Duration(seconds * float64(time.Second))
}

// wake has Deliver look, once what was posted is written down.
func (s *Server) wake(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.Method == http.MethodPost {
			select {
			case s.posted <- struct{}{}:
			default:
			}
		}
	})
}

func (s *Server) deliverNext(ctx context.Context) (sent bool, err error) {
	if s.Hook == "" {
		return false, nil
	}
	var m Message
	var forged bool
	err = s.DB.QueryRow(ctx, `
		UPDATE sandbox.event
		SET due_at = now() + interval '10 seconds', tries = tries + 1
		WHERE id = (SELECT id FROM sandbox.event WHERE copies > 0 AND due_at <= now() AND tries < 20 ORDER BY due_at
			LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING id, kind, payment_id, forged`).Scan(&m.ID, &m.Kind, &m.Payment, &forged)
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	secret := s.Secret
	if forged {
		secret = "somebody else's"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Hook, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Sandbox-Signature", Sign(secret, time.Now(), body))
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	response.Body.Close()
	if response.StatusCode/100 == 2 || forged {
		_, err = s.DB.Exec(ctx, `UPDATE sandbox.event SET copies = copies - 1, due_at = now() WHERE id = $1`, m.ID)
	}
	return true, err
}

// Sign is how a message is signed: the second it was sent, and an HMAC-SHA256 over that and the body.
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.", at.Unix())
	mac.Write(body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

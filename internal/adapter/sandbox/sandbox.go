// Package sandbox is a payment company that takes no money: a server with its own book and its own page, which the shop
// reaches over HTTP like any other.
package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Server is the company. Key is what a shop shows to be let in; Secret signs messages to Hook.
type Server struct {
	DB     *pgxpool.Pool
	Base   string // its own address
	Key    string
	Secret string
	Hook   string        // where messages go; none: nowhere
	Hold   time.Duration // how long an authorisation holds; 0: seven days
	posted chan struct{} // somebody posted something
}

// book is the company's own. The shop never reads it.
const book = `
	CREATE SCHEMA IF NOT EXISTS sandbox;
	CREATE TABLE IF NOT EXISTS sandbox.payment (
		id         text PRIMARY KEY,
		key        text NOT NULL UNIQUE,
		method     text NOT NULL CHECK (method IN ('card', 'pay_later')),
		amount     bigint NOT NULL CHECK (amount > 0),
		currency   text NOT NULL,
		label      text NOT NULL,
		back       text NOT NULL,
		state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'secure', 'authorised', 'captured', 'declined',
			'void')),
		captured   bigint NOT NULL DEFAULT 0,
		refunded   bigint NOT NULL DEFAULT 0,
		reason     text NOT NULL DEFAULT '',
		lapses_at  timestamptz,
		expires_at timestamptz NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CHECK (captured BETWEEN 0 AND amount),
		CHECK (refunded BETWEEN 0 AND captured)
	);
	CREATE TABLE IF NOT EXISTS sandbox.entry (
		id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		payment_id text NOT NULL REFERENCES sandbox.payment,
		kind       text NOT NULL CHECK (kind IN ('authorise', 'capture', 'void', 'refund', 'decline')),
		amount     bigint NOT NULL,
		at         timestamptz NOT NULL DEFAULT now()
	);
	CREATE TABLE IF NOT EXISTS sandbox.request (
		key    text PRIMARY KEY,
		hash   bytea NOT NULL,
		status integer NOT NULL,
		answer text NOT NULL
	);
	CREATE TABLE IF NOT EXISTS sandbox.event (
		id         text PRIMARY KEY,
		payment_id text NOT NULL REFERENCES sandbox.payment,
		kind       text NOT NULL,
		copies     integer NOT NULL DEFAULT 1,
		forged     boolean NOT NULL DEFAULT false,
		tries      integer NOT NULL DEFAULT 0,
		due_at     timestamptz NOT NULL DEFAULT now(),
		at         timestamptz NOT NULL DEFAULT now()
	);
	CREATE TABLE IF NOT EXISTS sandbox.fault (
		id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		operation text NOT NULL,
		kind      text NOT NULL,
		remaining integer NOT NULL
	);`

// Open makes the book where there is none.
func (s *Server) Open(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, s.DB, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('sandbox'))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, book)
		return err
	})
	if err != nil {
		return fmt.Errorf("open the sandbox's book: %w", err)
	}
	s.posted = make(chan struct{}, 1)
	return nil
}

// Handler answers the shop under /v1 and shoppers under /pay.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.wake)
	r.Route("/v1", func(r chi.Router) {
		r.Use(s.shopOnly)
		r.Post("/payments", s.once("begin", s.begin))
		r.Get("/payments/{id}", s.look)
		r.Post("/payments/{id}/capture", s.once("capture", s.capture))
		r.Post("/payments/{id}/void", s.once("void", s.void))
		r.Post("/payments/{id}/close", s.once("close", s.close))
		r.Post("/payments/{id}/refunds", s.once("refund", s.refund))
		r.Post("/faults", s.plant)
	})
	r.Get("/pay/{id}", s.page)
	r.Post("/pay/{id}", s.pay)
	r.Post("/pay/{id}/secure", s.secure)
	return r
}

func (s *Server) shopOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(given), []byte(s.Key)) != 1 {
			say(w, http.StatusUnauthorized, answer{Error: "This key is not known."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answer is what every call is answered with.
type answer struct {
	ID       string     `json:"id,omitempty"`
	Key      string     `json:"key,omitempty"`
	State    string     `json:"state,omitempty"`
	Page     string     `json:"page,omitempty"`
	Amount   int64      `json:"amount,omitempty"`
	Currency string     `json:"currency,omitempty"`
	Captured int64      `json:"captured"`
	Refunded int64      `json:"refunded"`
	Reason   string     `json:"reason,omitempty"`
	Lapses   *time.Time `json:"lapses_at,omitempty"`
	Error    string     `json:"error,omitempty" db:"-"`
}

func say(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a)
}

// no is a final no.
type no string

func (n no) Error() string { return string(n) }

// once does something under the key that came with it: the same call again has the same answer, another call under the
// same key none. The effect and the answer are written together; a fault that was planted comes before or after both.
func (s *Server) once(operation string, do func(context.Context, pgx.Tx, *http.Request, []byte) (answer,
	error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil || key == "" {
			say(w, http.StatusBadRequest, answer{Error: "A request needs a body and an idempotency key."})
			return
		}
		fault := s.fault(r.Context(), operation)
		if fault.strike(w, r, "before") {
			return
		}
		status, out := http.StatusOK, answer{}
		sum := sha256.Sum256(append([]byte(r.URL.Path+"\n"), body...))
		err = pgx.BeginFunc(r.Context(), s.DB, func(tx pgx.Tx) error {
			if _, err := tx.Exec(r.Context(), `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`,
				key); err != nil {
				return err
			}
			var hash []byte
			var saved string
			err := tx.QueryRow(r.Context(), `SELECT hash, status, answer FROM sandbox.request WHERE key = $1`,
				key).Scan(&hash, &status, &saved)
			if err == nil {
				if subtle.ConstantTimeCompare(hash, sum[:]) != 1 {
					status, out = http.StatusUnprocessableEntity, answer{Error: "This idempotency key was used for a different request."}
					return nil
				}
				return json.Unmarshal([]byte(saved), &out)
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			out, err = do(r.Context(), tx, r, body)
			if reason := no(""); errors.As(err, &reason) {
				status, out, err = http.StatusConflict, answer{Error: string(reason)}, nil
			}
			if err != nil {
				return err
			}
			text, err := json.Marshal(out)
			if err != nil {
				return err
			}
			_, err = tx.Exec(r.Context(),
				`INSERT INTO sandbox.request (key, hash, status, answer) VALUES ($1, $2, $3, $4)`, key, sum[:], status,
				string(text))
			return err
		})
		if err != nil {
			say(w, http.StatusInternalServerError, answer{Error: "Something went wrong here."})
			return
		}
		if fault.strike(w, r, "after") {
			return
		}
		say(w, status, out)
	}
}

func (s *Server) begin(ctx context.Context, tx pgx.Tx, r *http.Request, body []byte) (answer, error) {
	var in struct {
		Method   string    `json:"method"`
		Amount   int64     `json:"amount"`
		Currency string    `json:"currency"`
		Label    string    `json:"label"`
		Back     string    `json:"back"`
		Expires  time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Amount <= 0 || in.Back == "" || in.Method != "card" &&
		in.Method != "pay_later" {
		return answer{}, no("That cannot be paid.")
	}
	id := "sb_" + rand.Text()
	_, err := tx.Exec(ctx, `
		INSERT INTO sandbox.payment (id, key, method, amount, currency, label, back, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, r.Header.Get("Idempotency-Key"), in.Method, in.Amount,
		in.Currency, in.Label, in.Back, in.Expires)
	if err != nil {
		return answer{}, err
	}
	return s.told(ctx, tx, id)
}

func (s *Server) look(w http.ResponseWriter, r *http.Request) {
	if s.fault(r.Context(), "look").strike(w, r, "before") {
		return
	}
	if _, err := s.DB.Exec(r.Context(),
		`UPDATE sandbox.payment SET state = 'void' WHERE id = $1 AND (state = 'authorised' AND lapses_at < now()
			OR state IN ('open', 'secure') AND expires_at < now())`, chi.URLParam(r, "id")); err != nil {
		say(w, http.StatusInternalServerError, answer{Error: "Something went wrong here."})
		return
	}
	a, err := s.told(r.Context(), s.DB, chi.URLParam(r, "id"))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		say(w, http.StatusNotFound, answer{Error: "We can’t find that payment."})
	case err != nil:
		say(w, http.StatusInternalServerError, answer{Error: "Something went wrong here."})
	default:
		say(w, http.StatusOK, a)
	}
}

type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (s *Server) told(ctx context.Context, db queryer, id string) (answer, error) {
	rows, _ := db.Query(ctx, `
		SELECT id, $2::text || '/pay/' || id AS page, key, state, amount, currency, captured, refunded, reason,
			lapses_at AS lapses
		FROM sandbox.payment
		WHERE id = $1`, id, s.Base)
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[answer])
}

// entry is a line of the book: what happened to a payment, and over how much.
type entry struct {
	id, kind string
	amount   int64
}

// move changes a payment by a guarded update, writes the book's entry and the message about it.
func (s *Server) move(ctx context.Context, tx pgx.Tx, e entry, update string, args ...any) (bool, error) {
	tag, err := tx.Exec(ctx, `UPDATE sandbox.payment SET `+update, append([]any{e.id}, args...)...)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO sandbox.entry (payment_id, kind, amount) VALUES ($1, $2, $3)`, e.id, e.kind,
		e.amount); err != nil {
		return false, err
	}
	return true, s.write(ctx, tx, e.id, e.kind)
}

func amountOf(body []byte) int64 {
	var in struct {
		Amount int64 `json:"amount"`
	}
	if json.Unmarshal(body, &in) != nil {
		return -1
	}
	return in.Amount
}

func (s *Server) capture(ctx context.Context, tx pgx.Tx, r *http.Request, body []byte) (answer, error) {
	id, amount := chi.URLParam(r, "id"), amountOf(body)
	done, err := s.move(ctx, tx, entry{id, "capture", amount},
		`state = 'captured', captured = $2 WHERE id = $1 AND state = 'authorised' AND lapses_at > now() AND $2 BETWEEN 1 AND amount`, amount)
	if err == nil && !done {
		err = no("There is no authorisation of that amount.")
	}
	if err != nil {
		return answer{}, err
	}
	return s.told(ctx, tx, id)
}

// close ends a page that nobody has paid on.
func (s *Server) close(ctx context.Context, tx pgx.Tx, r *http.Request, _ []byte) (answer, error) {
	id := chi.URLParam(r, "id")
	done, err := s.move(ctx, tx, entry{id, "void", 0}, `state = 'void' WHERE id = $1 AND state IN ('open', 'secure')`)
	if err == nil && !done {
		err = no("It is not open any more.")
	}
	if err != nil {
		return answer{}, err
	}
	return s.told(ctx, tx, id)
}

func (s *Server) void(ctx context.Context, tx pgx.Tx, r *http.Request, _ []byte) (answer, error) {
	id := chi.URLParam(r, "id")
	done, err := s.move(ctx, tx, entry{id, "void", 0},
		`state = 'void' WHERE id = $1 AND state IN ('open', 'secure', 'authorised')`)
	if err != nil {
		return answer{}, err
	}
	a, err := s.told(ctx, tx, id)
	if err == nil && !done && a.State != "void" && a.State != "declined" {
		err = no("It is captured; refund it instead.")
	}
	return a, err
}

func (s *Server) refund(ctx context.Context, tx pgx.Tx, r *http.Request, body []byte) (answer, error) {
	id, amount := chi.URLParam(r, "id"), amountOf(body)
	done, err := s.move(ctx, tx, entry{id, "refund", amount},
		`refunded = refunded + $2 WHERE id = $1 AND state = 'captured' AND $2 > 0 AND refunded + $2 <= captured`,
		amount)
	if err == nil && !done {
		err = no("The refund exceeds the captured amount.")
	}
	if err != nil {
		return answer{}, err
	}
	return s.told(ctx, tx, id)
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/account"
	"counterpart/internal/platform/secret"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/counter"

	"github.com/jackc/pgx/v5"
)

const people = 1_000_000

// profiles measures what knowing people costs: finding one among a million at the counter, a page with and without the
// trail of what is looked at, and whether a sign-in takes longer where there is an account.
func (b *bench) profiles(ctx context.Context) error {
	if err := b.trail(ctx); err != nil {
		return err
	}
	if err := b.enumeration(ctx); err != nil {
		return err
	}
	return b.counter(ctx)
}

// trail asks for the same product page as a guest who agreed to be remembered and as one who did not, in turns.
func (b *bench) trail(ctx context.Context) error {
	_, err := b.db.Exec(ctx,
		`INSERT INTO consent (customer_id, purpose, medium, given, wording, source) SELECT customer_id, 'personalisation', 'shop', true, 1, 'web' FROM bench_cart WHERE n = 1`)
	if err != nil {
		return err
	}
	as := func(device string) func(*client) (int64, error) {
		return func(c *client) (int64, error) {
			_, body, err := c.fetch(b.server.base, http.MethodGet, "/p/morning-mug", nil, &shop,
				&http.Cookie{Name: "device", Value: device})
			return int64(len(body)), err
		}
	}
	fmt.Printf("\nproduct page of a guest, 16 connections, without and with the trail of what they look at\n")
	var shares []float64
	for range 5 {
		without, err := b.turn(ctx, as("bench-3"), 16)
		if err != nil {
			return err
		}
		with, err := b.turn(ctx, as("bench-1"), 16)
		if err != nil {
			return err
		}
		shares = append(shares, with.rate()/without.rate())
		fmt.Printf("  %6.0f/s p50 %5.2f ms → %6.0f/s p50 %5.2f ms\n", without.rate(), without.at(.5), with.rate(),
			with.at(.5))
	}
	slices.Sort(shares)
	time.Sleep(2 * time.Second) // The last batch is written a second after its pages.
	var events int
	if err := b.db.QueryRow(ctx, `SELECT count(*) FROM browse_event`).Scan(&events); err != nil {
		return err
	}
	fmt.Printf("  median of five pairs: %.0f %%; %d events written\n", 100*shares[2], events)
	return nil
}

// enumeration tries wrong passwords where there is an account and where there is none, by turns.
func (b *bench) enumeration(ctx context.Context) error {
	hash, err := secret.HashPassword(ctx, sample.Password)
	if err != nil {
		return err
	}
	_, err = b.db.Exec(ctx, `
		WITH known AS (
			INSERT INTO customer (name, channel, registered_at) VALUES ('Ada', 'web', now())
			RETURNING id),
		mail AS (
			INSERT INTO identity (customer_id, kind, value, source, verified_at)
			SELECT id, 'email', 'known@example.com', 'web', now() FROM known)
		INSERT INTO password (customer_id, hash)
		SELECT id, $1 FROM known`, hash)
	if err != nil {
		return err
	}
	took := map[string][]float64{}
	for i := range 200 {
		for _, email := range []string{"known@example.com", "nobody@example.com"} {
			for what, try := range map[string]func() error{
				"wrong password": func() error {
					_, err := account.SignIn(ctx, b.db, origin.Origin{Channel: origin.Web, Language: "en"}, email,
						"wrong, wrong and wrong again", from(i))
					return err
				},
				"new password": func() error { return account.Forgotten(ctx, b.db, email, from(i)) },
			} {
				if _, err := b.db.Exec(ctx, `DELETE FROM try`); err != nil {
					return err
				}
				began := time.Now()
				_ = try() // A fault, or nothing: the same for both.
				took[what+" "+email] = append(took[what+" "+email], float64(time.Since(began).Microseconds())/1000)
			}
		}
	}
	fmt.Printf("\n200 tries each where there is an account and where there is none, median ms\n")
	for _, what := range []string{"wrong password", "new password"} {
		known, unknown := median(took[what+" known@example.com"]), median(took[what+" nobody@example.com"])
		fmt.Printf("  %-16s %6.2f and %6.2f, apart by %.2f\n", what, known, unknown, known-unknown)
	}
	return nil
}

func from(i int) account.Browser { return account.Browser{From: fmt.Sprint("bench-", i)} }

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// counter loads a million people and looks for some of them as the counter does.
func (b *bench) counter(ctx context.Context) error {
	began := time.Now()
	first, last := names(400, 2), names(8000, 3)
	conn, err := b.db.Acquire(ctx)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`SET statement_timeout = '20min'`,
		`CREATE TABLE bench_person AS
			SELECT n, nextval(pg_get_serial_sequence('customer', 'id')) AS id,
				($1::text[])[1 + floor(400 * power(random(), 2))::int] AS first,
				($2::text[])[1 + floor(8000 * power(random(), 2))::int] AS last
			FROM generate_series(1, $3::int) n`,
		`INSERT INTO customer (id, name, channel) OVERRIDING SYSTEM VALUE SELECT id, first || ' ' || last, 'web' FROM bench_person`,
		`INSERT INTO identity (customer_id, kind, value, source) SELECT id, 'email', lower(first || '.' || last || n || '@example.com'), 'web' FROM bench_person`,
		`INSERT INTO identity (customer_id, kind, value, source) SELECT id, 'phone', '+447' || lpad((n::bigint * 7919 % 1000000000)::text, 9, '0'), 'web' FROM bench_person`,
		`INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT id, 'card', '28' || lpad(n::text, 11, '0'), 'shop', now() FROM bench_person WHERE n % 3 = 0`,
		`VACUUM ANALYZE`, `CHECKPOINT`,
	} {
		var args []any
		if strings.Contains(statement, "$1") {
			args = []any{first, last, people}
		}
		if _, err := conn.Exec(ctx, statement, args...); err != nil {
			conn.Release()
			return err
		}
	}
	conn.Release()
	fmt.Printf("\nsearch at the counter among %d people (loaded in %.0f s), one connection, ms\n", people,
		time.Since(began).Seconds())
	fmt.Printf("  %-34s %8s %8s %8s %7s\n", "", "p50", "p95", "most", "found")
	for _, kind := range []struct {
		what  string
		query func(person) string
	}{
		{"whole email", func(p person) string { return fmt.Sprintf("%s.%s%d@example.com", p.first, p.last, p.n) }},
		{"whole phone number", func(p person) string { return p.phone }},
		{"last six figures of a phone number", func(p person) string { return p.phone[len(p.phone)-6:] }},
		{"four figures of a phone number", func(p person) string { return p.phone[len(p.phone)-7 : len(p.phone)-3] }},
		{"name", func(p person) string { return p.first + " " + p.last }},
		{"last name alone", func(p person) string { return p.last }},
		{"name with two letters swapped", func(p person) string { return p.first + " " + swapped(p.last) }},
		{"name with a letter missing", func(p person) string { return p.first + " " + p.last[:2] + p.last[3:] }},
		{"last name alone, a letter missing", func(p person) string { return p.last[:2] + p.last[3:] }},
		{"two letters", func(p person) string { return p.last[:2] }},
		{"somebody who is not there", func(p person) string { return "qzx" + p.last[:3] + "wkj" }},
	} {
		if err := b.look(ctx, kind.what, kind.query); err != nil {
			return err
		}
	}
	return nil
}

type person struct {
	n           int
	first, last string
	phone       string
}

func (b *bench) look(ctx context.Context, what string, query func(person) string) error {
	rows, err := b.db.Query(ctx, `
		SELECT n, first, last, '0' || right('+447' || lpad((n::bigint * 7919 % 1000000000)::text, 9, '0'), 10)
		FROM bench_person
		WHERE n IN (SELECT 1 + floor(random() * $1)::int FROM generate_series(1, 130))
		LIMIT 120`, people)
	if err != nil {
		return err
	}
	some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p person, err error) {
		return p, row.Scan(&p.n, &p.first, &p.last, &p.phone)
	})
	if err != nil {
		return err
	}
	var took []float64
	found := 0
	for i, p := range some {
		words := query(p)
		began := time.Now()
		hits, err := counter.Search(ctx, b.db, words, 2)
		if err != nil {
			return err
		}
		if i < 10 {
			continue // to warm up
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		for _, h := range hits {
			if h.Kind == "customer" && h.Title == p.first+" "+p.last {
				found++
				break
			}
		}
	}
	slices.Sort(took)
	fmt.Printf("  %-34s %8.2f %8.2f %8.2f %6d%%\n", what, took[len(took)/2], took[len(took)*95/100], took[len(took)-1],
		100*found/len(took))
	return nil
}

func swapped(word string) string { return word[:2] + string(word[3]) + string(word[2]) + word[4:] }

// names are made of syllables, as many as wanted and each of so many; the same every time.
func names(n, syllables int) []string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	parts := strings.Fields("ba be bri ca cor da del di el fa fer ga gro ha hol hu ja jor ka kel ki la lin lo ma mer mi na nor o pa per qui ra ren ro sa shel so ta ter thi to u va ver vi wa wil win ya yor ze zo ard den ford ham ley low man ner ridge sen son ster ton well wick wood worth")
	seen := map[string]bool{}
	var all []string
	for len(all) < n {
		var word strings.Builder
		for range syllables {
			word.WriteString(parts[random.IntN(len(parts))])
		}
		name := strings.ToUpper(word.String()[:1]) + word.String()[1:]
		if len(name) > 4 && !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

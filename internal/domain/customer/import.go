package customer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
)

// ImportRow is a customer as another system has them. Key names them there, or by what their row says, and makes a
// second import find them again.
type ImportRow struct {
	Key          string
	Name         string
	Email, Phone string // normal, or empty
	Tags         []string
	Note         string
	Address      *Address
	News         map[string]bool // by medium: whether they agreed there; a medium that is not said is absent
	Language     string
}

// Outcome is what became of an incoming customer.
type Outcome struct{ Created, Changed bool }

// Import writes a customer from another system, or finds them and adds what is new. What somebody has changed here is
// never changed back: a name stands once there is an account, and a consent once there was any word of theirs on it.
func Import(ctx context.Context, tx pgx.Tx, in ImportRow) (o Outcome, err error) {
	id, account, err := brought(ctx, tx, in)
	if err != nil {
		return o, err
	}
	if id == 0 {
		if id, err = Create(ctx, tx, in.Name, in.Language, origin.API); err != nil {
			return o, err
		}
		o.Created = true
	}
	count := func(sql string, args ...any) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("bring a customer in: %w", err)
		}
		o.Changed = o.Changed || tag.RowsAffected() > 0
		return nil
	}
	if !o.Created && !account {
		if err := count(`UPDATE customer SET name = $2 WHERE id = $1 AND name <> $2 AND $2 <> ''`, id,
			in.Name); err != nil {
			return o, err
		}
	}
	const known = `
		INSERT INTO identity (customer_id, kind, value, source, verified_at)
		SELECT $1, $2, $3, 'import', CASE WHEN $2 = 'external' THEN now() END
		WHERE $3 <> ''
		ON CONFLICT (customer_id, kind, value) DO NOTHING`
	for _, identity := range [][2]string{{External, in.Key}, {Email, in.Email}, {Phone, in.Phone}} {
		if err := count(known, id, identity[0], identity[1]); err != nil {
			return o, err
		}
	}
	for _, tag := range in.Tags {
		if err := count(`INSERT INTO customer_tag (customer_id, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id,
			tag); err != nil {
			return o, err
		}
	}
	if in.Note != "" {
		err := count(`INSERT INTO note (customer_id, kind, body) SELECT $1, 'note', $2 WHERE NOT EXISTS (SELECT FROM note WHERE customer_id = $1 AND body = $2)`, id, in.Note)
		if err != nil {
			return o, err
		}
	}
	if a := in.Address; a != nil {
		err := count(`
			INSERT INTO address (customer_id, name, lines, town, region, postcode, country, phone)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8
			WHERE NOT EXISTS (SELECT FROM address WHERE customer_id = $1 AND lines = $3 AND town = $4 AND postcode = $6)`, id, a.Name, a.Lines, a.Town, a.Region, a.Postcode, a.Country, a.Phone)
		if err != nil {
			return o, err
		}
	}
	for _, medium := range []string{ByMail, BySMS} {
		given, said := in.News[medium]
		if !said {
			continue
		}
		i := slices.IndexFunc(Choices, func(c Choice) bool { return c.Purpose == Marketing && c.Medium == medium })
		err := count(`
			INSERT INTO consent (customer_id, purpose, medium, given, wording, source)
			SELECT $1, 'marketing', $2, $3, $4, 'import'
			WHERE $3 AND NOT EXISTS (SELECT FROM consent WHERE customer_id = $1 AND purpose = 'marketing'
				AND medium = $2)`, id, medium, given, Choices[i].Wording)
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// brought finds whom an earlier import made, by their key alone: nobody proved an address or a number that stands in a
// file.
func brought(ctx context.Context, db pg.DB, in ImportRow) (id int64, account bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT root.id, root.registered_at IS NOT NULL
		FROM identity i
		JOIN customer c ON c.id = i.customer_id
		JOIN customer root ON root.id = coalesce(c.merged_into, c.id)
		WHERE i.kind = 'external' AND i.value = $1 AND root.erased_at IS NULL
		ORDER BY root.id
		LIMIT 1`, in.Key).Scan(&id, &account)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("find whom an import made: %w", err)
	}
	return id, account, nil
}

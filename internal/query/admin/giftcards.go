package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"counterpart/internal/platform/pg"

	"github.com/jackc/pgx/v5"
)

// GiftCardRow is a card in the list.
type GiftCardRow struct {
	ID         int64
	Ends       string
	Currency   string
	Issued     int64
	Balance    int64
	Recipient  string
	GivenBy    string // who gave it for the shop; empty: it was bought
	Reason     string
	Order      int64 // that bought it; 0: none
	OrderID    int64
	CreatedAt  time.Time
	DisabledAt *time.Time
}

// GiftCards lists cards, the newest first: those whose code ends so, or that were mailed there (empty: all).
func GiftCards(ctx context.Context, db pg.DB, words string, page Page) (rows []GiftCardRow, total int, err error) {
	args := pgx.NamedArgs{"words": strings.ToLower(strings.TrimSpace(words)), "upto": CountUpTo}
	const where = ` (@words = '' OR lower(g.ends) = right(replace(@words, '-', ''), 4) OR lower(g.recipient) = @words)`
	walk, direction := page.walk("g.id", "@edge", args)
	err = pg.Ask(ctx, db,
		pg.Value(&total, `SELECT count(*) FROM (SELECT FROM gift_card g WHERE`+where+` LIMIT @upto) counted`, args),
		pg.All(&rows, `
			SELECT g.id, g.ends, g.currency::text, g.issued, g.balance, g.recipient, coalesce(a.name, '') AS given_by,
				g.reason, coalesce(o.number, 0) AS order, coalesce(o.id, 0) AS order_id, g.created_at, g.disabled_at
			FROM (
				SELECT *
				FROM gift_card g
				WHERE`+where+walk+`
				ORDER BY g.id `+direction+`
				`+page.limit()+`) g
			LEFT JOIN associate a ON a.id = g.associate_id
			LEFT JOIN order_line l ON l.id = g.order_line_id
			LEFT JOIN orders o ON o.id = l.order_id
			ORDER BY g.id DESC`, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list gift cards: %w", err)
	}
	return rows, total, nil
}

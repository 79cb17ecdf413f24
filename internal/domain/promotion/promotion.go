// Package promotion is what the shop gives away on purpose: its rules, who may still use them, and what that cost.
package promotion

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

// States of a promotion. One that is live before its first day is scheduled, after its last it is over.
const (
	Draft  = "draft"
	Live   = "live"
	Paused = "paused"
	Ended  = "ended"
)

// Promotion is a rule with its limits, as an admin keeps it. Nil limits do not limit; amounts are minor units of the
// rule's currency.
type Promotion struct {
	ID             int64
	Title          string
	State          string
	Priority       int
	Exclusion      string
	Combines       []quote.Level
	StartsAt       *time.Time
	EndsAt         *time.Time
	NeedsCode      bool
	Rule           quote.Rule
	MaxUses        *int
	MaxPerCustomer *int
	MaxPerDay      *int
	Budget         *int64
	Used           int
	Spent          int64
	Version        int
}

// Columns of a Promotion.
const Columns = `p.id, p.title, p.state, p.priority, p.exclusion, p.combines, p.starts_at, p.ends_at, p.needs_code,
	p.rule, p.max_uses, p.max_per_customer, p.max_per_day, p.budget, p.used, p.spent, p.version`

// Phase is the state as it is at a time: scheduled and over are not written down, they follow from the clock.
func (p *Promotion) Phase(now time.Time) string {
	switch {
	case p.State == Live && p.StartsAt != nil && now.Before(*p.StartsAt):
		return "scheduled"
	case p.State == Live && p.EndsAt != nil && !now.Before(*p.EndsAt):
		return Ended
	}
	return p.State
}

// InQuote is the promotion as a quote takes it, without codes.
func (p *Promotion) InQuote() quote.Promotion {
	q := quote.Promotion{ID: p.ID, Title: p.Title, Priority: p.Priority, Group: p.Exclusion, With: p.Combines,
		NeedsCode: p.NeedsCode, Budget: -1, Rule: p.Rule}
	if p.StartsAt != nil {
		q.Starts = *p.StartsAt
	}
	if p.EndsAt != nil {
		q.Ends = *p.EndsAt
	}
	if p.Budget != nil {
		q.Budget = *p.Budget - p.Spent
	}
	return q
}

var errChanged = fault.New(fault.Conflict,
	"Someone else has changed this promotion. Check it again, then make your change.")

// Save writes a promotion. One that is there already is changed only from the version that was read, so nobody
// overwrites what they have not seen. Where a limit appears, what was used so far is counted from the uses: every
// checkout that is under way holds the row, so none is missed.
func Save(ctx context.Context, tx pgx.Tx, p *Promotion, associateID int64) error {
	if err := check(p); err != nil {
		return err
	}
	args := pgx.NamedArgs{"id": p.ID, "title": p.Title, "priority": p.Priority, "exclusion": p.Exclusion,
		"combines": p.Combines, "starts": p.StartsAt, "ends": p.EndsAt,
		"needs_code": p.NeedsCode, "rule": p.Rule, "max_uses": p.MaxUses, "max_per_customer": p.MaxPerCustomer, "max_per_day": p.MaxPerDay, "budget": p.Budget, "associate": associateID, "version": p.Version}
	if p.ID == 0 {
		err := tx.QueryRow(ctx, `
			INSERT INTO promotion (title, priority, exclusion, combines, starts_at, ends_at, needs_code, rule, max_uses,
				max_per_customer, max_per_day, budget, created_by)
			VALUES (@title, @priority, @exclusion, @combines, @starts, @ends, @needs_code, @rule, @max_uses,
				@max_per_customer, @max_per_day, @budget, nullif(@associate::bigint, 0))
			RETURNING id, state, version`, args).Scan(&p.ID, &p.State, &p.Version)
		if err != nil {
			return fmt.Errorf("write a promotion: %w", err)
		}
		return nil
	}
	// The row first, by itself: a count in the same statement would not see what was committed while it waited for the
	// row.
	if _, err := tx.Exec(ctx, `SELECT FROM promotion WHERE id = $1 FOR UPDATE`, p.ID); err != nil {
		return fmt.Errorf("hold a promotion: %w", err)
	}
	err := tx.QueryRow(ctx, `
		SELECT count(*), coalesce(sum(amount), 0)::bigint
		FROM promotion_use
		WHERE promotion_id = $1 AND released_at IS NULL`, p.ID).Scan(&p.Used, &p.Spent)
	if err != nil {
		return fmt.Errorf("count a promotion's uses: %w", err)
	}
	if p.MaxUses != nil && p.Used > *p.MaxUses {
		return fault.Field("max_uses", "It’s already been used {n} times. The limit can’t be lower.",
			map[string]any{"n": p.Used})
	}
	if p.Budget != nil && p.Spent > *p.Budget {
		return fault.Field("budget", "More than that has already been spent.")
	}
	var person, day int
	err = tx.QueryRow(ctx, `
		SELECT coalesce(max(n) FILTER (WHERE NOT day), 0), coalesce(max(n) FILTER (WHERE day), 0)
		FROM (
			SELECT k.key LIKE 'day:%' AS day, count(*) AS n
			FROM promotion_use, LATERAL (VALUES ('person:' || person_id), ('email:' || nullif(email_key, '')),
				('day:' || day)) k (key)
			WHERE promotion_id = $1 AND released_at IS NULL AND k.key IS NOT NULL
			GROUP BY k.key) used`, p.ID).Scan(&person, &day)
	if err != nil {
		return fmt.Errorf("count a promotion's uses: %w", err)
	}
	if p.MaxPerCustomer != nil && person > *p.MaxPerCustomer {
		return fault.Field("max_per_customer", "One customer has already used it {n} times. The limit can’t be lower.",
			map[string]any{"n": person})
	}
	if p.MaxPerDay != nil && day > *p.MaxPerDay {
		return fault.Field("max_per_day", "It’s already been used {n} times in one day. The limit can’t be lower.",
			map[string]any{"n": day})
	}
	args["used"], args["spent"] = p.Used, p.Spent
	err = tx.QueryRow(ctx, `
		UPDATE promotion
		SET title = @title, priority = @priority, exclusion = @exclusion, combines = @combines, starts_at = @starts,
			ends_at = @ends, needs_code = @needs_code, rule = @rule,
			max_uses = @max_uses, max_per_customer = @max_per_customer, max_per_day = @max_per_day, budget = @budget,
				version = version + 1,
			used = CASE WHEN @max_uses::integer IS NULL AND @budget::bigint IS NULL THEN 0 ELSE @used END, spent = CASE
				WHEN @max_uses::integer IS NULL AND @budget::bigint IS NULL THEN 0 ELSE @spent END
		WHERE id = @id AND version = @version AND state <> 'ended'
		RETURNING version`, args).Scan(&p.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return errChanged
	}
	if err != nil {
		return fmt.Errorf("change a promotion: %w", err)
	}
	return recount(ctx, tx, p.ID)
}

// recount writes the counters of a promotion afresh from its uses. The promotion is held.
func recount(ctx context.Context, tx pgx.Tx, id int64) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		DELETE FROM promotion_counter
		WHERE promotion_id = $1`, id)
	batch.Queue(`
		INSERT INTO promotion_counter (promotion_id, key, used)
		SELECT u.promotion_id, k.key, count(*)
		FROM promotion_use u
		JOIN promotion p ON p.id = u.promotion_id
		CROSS JOIN LATERAL (
			SELECT 'person:' || u.person_id WHERE p.max_per_customer IS NOT NULL
			UNION ALL
			SELECT 'email:' || u.email_key WHERE p.max_per_customer IS NOT NULL AND u.email_key <> ''
			UNION ALL
			SELECT 'day:' || u.day WHERE p.max_per_day IS NOT NULL) k (key)
		WHERE u.promotion_id = $1 AND u.released_at IS NULL
		GROUP BY 1, 2`, id)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("count a promotion's uses: %w", err)
	}
	return nil
}

// check says, field by field, what a promotion still lacks.
func check(p *Promotion) error {
	var form fault.Form
	p.Title = strings.TrimSpace(p.Title)
	if p.Title == "" || utf8.RuneCountInString(p.Title) > 80 {
		form.Add("title", "Enter a title customers will see, up to 80 characters, such as “Spring: 20% off mugs”.")
	}
	if p.StartsAt != nil && p.EndsAt != nil && !p.EndsAt.After(*p.StartsAt) {
		form.Add("ends", "The end is before the start.")
	}
	for name, limit := range map[string]*int{"max_uses": p.MaxUses, "max_per_customer": p.MaxPerCustomer,
		"max_per_day": p.MaxPerDay} {
		if limit != nil && (*limit < 1 || *limit > 1_000_000_000) {
			form.Add(name, "Enter a whole number above zero, or leave it empty.")
		}
	}
	if p.Budget != nil && *p.Budget <= 0 {
		form.Add("budget", "Enter an amount above zero, or leave it empty.")
	}
	e, r := &p.Rule.Effect, &p.Rule
	most := func(field string, amount int64) {
		if amount > money.MaxUnit {
			form.Add(field, "Nothing here costs that much. Check the amount.")
		}
	}
	most("amount", e.Amount)
	most("subtotal", r.Subtotal)
	for _, step := range e.Steps {
		most("steps", max(step.From, step.Amount))
	}
	if p.Budget != nil && *p.Budget > 1000*money.MaxUnit {
		form.Add("budget", "That’s more than the shop could ever give away. Check the amount.")
	}
	inMoney := r.Subtotal > 0 || p.Budget != nil
	switch e.Kind {
	case quote.Percent, quote.CheaperDelivery, quote.BuyGet:
		if e.Percent < 1 || e.Percent > 10000 {
			form.Add("percent", "Enter a percentage from 0.01 to 100.")
		}
		if e.Kind == quote.BuyGet && (e.Buy < 1 || e.Get < 1 || e.Buy+e.Get > 99) {
			form.Add("buy", "Enter how many to buy and how many they get: at least one each.")
		}
	case quote.Amount, quote.FixedPrice, quote.Bundle:
		inMoney = true
		if e.Amount < 1 {
			form.Add("amount", "Enter an amount above zero.")
		}
		if e.Kind != quote.Amount && len(r.Products)+len(r.Categories)+len(r.Tags) == 0 {
			form.Add("goods", "Choose products, a department or a tag.")
		}
		if e.Kind == quote.Bundle && (e.Pieces < 0 || e.Pieces > 99 || e.Pieces == 0 && len(r.Products) < 2) {
			form.Add("pieces", "Enter how many items make a set, or choose at least two products, one of each.")
		}
	case quote.TieredSpend:
		inMoney = true
		if len(e.Steps) == 0 {
			form.Add("steps", "Enter at least one tier: the spend it starts from, and the discount.")
		}
		for i, step := range e.Steps {
			if step.From <= 0 || step.Percent < 0 || step.Percent > 10000 || step.Amount < 0 ||
				step.Percent+step.Amount == 0 || i > 0 && step.From <= e.Steps[i-1].From {
				form.Add("steps", "Each tier must start higher than the one before, and give a discount.")
			} else if step.Amount > step.From {
				form.Add("steps", "A tier gives more off than its minimum spend. Did you mean a percentage?")
			} else if i > 0 && worth(step, step.From) < worth(e.Steps[i-1], step.From) {
				form.Add("steps", "Spending more would save less: each tier must give at least the discount of the one before.")
			}
		}
	case quote.CheapestFree:
		if r.Quantity < 2 {
			form.Add("quantity", "Enter a minimum quantity of two or more, or everything would be free.")
		}
	case quote.Gift:
		if e.Variant == 0 {
			form.Add("gift", "Enter the SKU of the gift.")
		}
	case quote.Points:
		if e.Times < 2 || e.Times > 100 {
			form.Add("times", "Enter a points multiplier from 2 to 100.")
		}
	default:
		form.Add("kind", "Choose a discount type.")
	}
	if inMoney && r.Currency == "" {
		form.Add("currency", "Choose the currency of the amounts.")
	}
	return form.Err()
}

// worth of a step for somebody who spends an amount.
func worth(s quote.Step, spent int64) int64 { return max(s.Amount, spent*s.Percent/10000) }

// moves a promotion can make, and from where.
var moves = map[string][]string{Live: {Draft, Paused}, Paused: {Live}, Ended: {Draft, Live, Paused}}

// Move takes a promotion to another state. What has ended stays ended: a copy of it can begin.
func Move(ctx context.Context, tx pgx.Tx, id int64, to string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE promotion
		SET state = $2, version = version + 1
		WHERE id = $1 AND state = ANY ($3)`, id, to, moves[to])
	if err != nil {
		return fmt.Errorf("move a promotion: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errChanged
	}
	return nil
}

// Copy makes a draft of a promotion, without its codes and uses.
func Copy(ctx context.Context, tx pgx.Tx, id, associateID int64) (copied int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO promotion (title, priority, exclusion, combines, needs_code, rule, max_uses, max_per_customer,
			max_per_day, budget, created_by)
		SELECT left(title, 72) || ' (copy)', priority, exclusion, combines, needs_code, rule, max_uses,
			max_per_customer, max_per_day, budget, nullif($2::bigint, 0)
		FROM promotion
		WHERE id = $1
		RETURNING id`, id, associateID).Scan(&copied)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, fault.New(fault.NotFound, "We can’t find that promotion.")
	}
	return copied, err
}

// ByID reads a promotion. Nil when there is none.
func ByID(ctx context.Context, db pg.DB, id int64) (*Promotion, error) {
	rows, err := db.Query(ctx, `
		SELECT `+Columns+`
		FROM promotion p
		WHERE p.id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read a promotion: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Promotion])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return p, err
}

// Overlaps says whether two promotions can meet in a cart: they run at the same time, and some goods belong to both.
func (p *Promotion) Overlaps(other *Promotion) bool {
	if p.EndsAt != nil && other.StartsAt != nil && !p.EndsAt.After(*other.StartsAt) || other.EndsAt != nil &&
		p.StartsAt != nil && !other.EndsAt.After(*p.StartsAt) {
		return false
	}
	a, b := &p.Rule, &other.Rule
	if a.Currency != "" && b.Currency != "" && a.Currency != b.Currency ||
		(a.Effect.Kind == quote.CheaperDelivery) != (b.Effect.Kind == quote.CheaperDelivery) {
		return false
	}
	everything := func(r *quote.Rule) bool { return len(r.Products)+len(r.Categories)+len(r.Tags) == 0 }
	return everything(a) || everything(b) || meet(a.Products, b.Products) || meet(a.Categories, b.Categories) ||
		meet(a.Tags, b.Tags)
}

func meet[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(one T) bool { return slices.Contains(b, one) })
}

// InQuoteTogether says whether two promotions go together in one quote.
func (p *Promotion) InQuoteTogether(other *Promotion) bool {
	a, b := p.InQuote(), other.InQuote()
	return quote.Together(&a, &b)
}

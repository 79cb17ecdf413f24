package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/secret"
)

// Shopper is the role of a demo sign-in that is a customer's.
const Shopper = "shopper"

// pins lets associates of the demo change on a machine, and its managers approve.
func (l *loader) pins(ctx context.Context) error {
	for i := range l.accounts {
		account := &l.accounts[i]
		var id int64
		if err := l.tx.QueryRow(ctx, `SELECT id FROM associate WHERE email = $1`, account.Email).Scan(&id); err != nil {
			return err
		}
		account.PIN = fmt.Sprintf("%04d", 2000+7*int(pick(900, "pin", account.Email))+3)
		if err := staff.SetPIN(ctx, l.tx, id, account.PIN); err != nil {
			return err
		}
	}
	return nil
}

// profiles gives every third customer an account with a card, and one of them everything that a profile can hold: it is
// the demo's own shopper.
func (l *loader) profiles(ctx context.Context, ids []int64) error {
	for c, id := range ids {
		if c%3 != 0 {
			continue
		}
		_, email, _ := person(c)
		if err := l.account(ctx, id, email); err != nil {
			return err
		}
		if pick(2, "news", email) == 0 {
			if err := l.agree(ctx, id, customer.Marketing, customer.ByMail); err != nil {
				return err
			}
		}
	}
	return l.shopper(ctx, ids[0])
}

func (l *loader) account(ctx context.Context, id int64, email string) error {
	if err := customer.Verify(ctx, l.tx, id, customer.Email, email, "web"); err != nil {
		return err
	}
	if err := customer.Register(ctx, l.tx, id, ""); err != nil {
		return err
	}
	_, err := customer.IssueCard(ctx, l.tx, id)
	return err
}

func (l *loader) agree(ctx context.Context, id int64, purpose, medium string) error {
	return customer.RecordConsent(ctx, l.tx, id, customer.ConsentEntry{Purpose: purpose, Medium: medium, Given: true,
		Source: "web"})
}

func (l *loader) shopper(ctx context.Context, id int64) error {
	name, email, phone := person(0)
	shopper := Account{Name: name, Email: email, Role: Shopper, Password: strings.ToLower(secret.NewToken()[:16])}
	hash, err := secret.HashPassword(ctx, shopper.Password)
	if err != nil {
		return err
	}
	if err := customer.SetPassword(ctx, l.tx, id, hash); err != nil {
		return err
	}
	l.accounts = append(l.accounts, shopper)
	leeds, at := l.location("LDS"), l.staff["LDS"]
	if err := customer.ChooseStore(ctx, l.tx, id, leeds.ID); err != nil {
		return err
	}
	for _, purpose := range []string{customer.Personalisation, customer.Clienteling} {
		if err := l.agree(ctx, id, purpose, customer.InShop); err != nil {
			return err
		}
	}
	if err := customer.Prefer(ctx, l.tx, id, "Rings", "54", "counter"); err != nil {
		return err
	}
	for kind, body := range map[string]string{"visit": "Looked at coats for a walking holiday in May; will come back with her sister.", "alert": "Her kettle came dented. Offer to exchange it."} {
		if err := customer.Write(ctx, l.tx, origin.Origin{Channel: origin.Counter, LocationID: leeds.ID,
			AssociateID: at}, id, kind,
			body); err != nil {
			return err
		}
	}
	address := customer.Address{Name: name, Lines: "Flat 3\n12 Chapel Lane", Town: "Leeds", Postcode: "LS6 3BX",
		Country: "GB", Phone: phone}
	if err := customer.PutAddress(ctx, l.tx, id, address); err != nil {
		return err
	}
	if err := l.lists(ctx, id); err != nil {
		return err
	}
	if err := l.trail(ctx, id); err != nil {
		return err
	}
	if err := l.looksAfter(ctx, id, at); err != nil {
		return err
	}
	return l.double(ctx, name, phone)
}

// looksAfter is what an associate and the office do with what is known: a client with reminders, a watched coat, and
// segments, which a job fills.
func (l *loader) looksAfter(ctx context.Context, id, associate int64) error {
	if err := clientele.Take(ctx, l.tx, id, associate); err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for _, f := range []clientele.FollowUp{{Person: id, Body: "Birthday", DueOn: today.AddDate(0, 0, 5), Yearly: true},
		{Person: id, Body: "Ask how the walking holiday was", DueOn: today.AddDate(0, 0, 1)}} {
		if err := clientele.Remind(ctx, l.tx, f, associate, today); err != nil {
			return err
		}
	}
	var coat int64
	if err := l.tx.QueryRow(ctx, `
		SELECT v.id FROM variant v JOIN product p ON p.id = v.product_id WHERE p.slug = 'fell-coat' AND v.active
		ORDER BY v.position LIMIT 1`).Scan(&coat); err != nil {
		return err
	}
	email, _, err := outreach.Media(ctx, l.tx, id)
	if err != nil {
		return err
	}
	if _, _, err := outreach.Ask(ctx, l.tx, outreach.Watch{CustomerID: id, VariantID: coat, Kind: outreach.Price,
		Medium: customer.ByMail, Target: email, LocationID: l.location("LDS").ID, Proven: true}); err != nil {
		return err
	}
	for _, s := range []segment.Segment{
		{Title: "Regulars", Tree: of(segment.Condition{Field: "orders", Compare: segment.AtLeast, Number: 3})},
		{Title: "Good customers who stay away", Tree: of(segment.Condition{Field: "spent", Compare: segment.AtLeast, Number: 20_000},
			segment.Condition{Field: "last", Compare: segment.AtLeast, Number: 180})},
		{Title: "Only looking", Tree: of(segment.Condition{Field: "looked_only", Compare: segment.AtLeast, Number: 3},
			segment.Condition{Field: "consent", Compare: segment.Is, Text: "marketing:mail"})}} {
		s.Living = true
		if err := segment.Save(ctx, l.tx, &s, 0); err != nil {
			return err
		}
	}
	return nil
}

// of is a segment of whom all of these hold for.
func of(all ...segment.Condition) segment.Tree {
	return segment.Tree{Currency: "GBP", Groups: []segment.Group{{Match: segment.All, Conditions: all}}}
}

func (l *loader) lists(ctx context.Context, id int64) error {
	for i := range 5 {
		list := cart.WishList
		if i == 4 {
			list = cart.Later
		}
		v := l.variants[pick(uint64(len(l.variants)), "wish", fmt.Sprint(i))]
		if err := cart.Wish(ctx, l.tx, id, v.id, list, "web"); err != nil {
			return err
		}
	}
	cartID, err := cart.Open(ctx, l.tx, id, l.location("LDS").ID, "web")
	if err != nil {
		return err
	}
	for i := range 2 {
		v := l.variants[pick(uint64(len(l.variants)), "cart", fmt.Sprint(i))]
		if err := cart.Add(ctx, l.tx, cartID, cart.NewLine{VariantID: v.id, Quantity: 1 + i,
			Channel: "web"}); err != nil {
			return err
		}
	}
	return nil
}

// trail is what the shopper looked at in the last hours, on a device of theirs.
func (l *loader) trail(ctx context.Context, id int64) error {
	device := customer.DeviceValue(secret.NewToken())
	if err := customer.Identify(ctx, l.tx, id, customer.Identity{Kind: customer.Device, Value: device, Source: "web",
		Verified: true}); err != nil {
		return err
	}
	rows, err := l.tx.Query(ctx, `SELECT id FROM product ORDER BY popularity DESC, id LIMIT 7`)
	if err != nil {
		return err
	}
	products, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	var seen []browsing.Event
	for i, product := range products {
		seen = append(seen, browsing.Event{Device: device, At: time.Now().Add(-time.Duration(i*7) * time.Minute),
			ProductID: product})
	}
	for i, words := range []string{"waterproof coat", "teapot for two"} {
		seen = append(seen, browsing.Event{Device: device, At: time.Now().Add(-time.Duration(5+i*11) * time.Minute),
			Words: words})
	}
	// Something that they come back to and do not have.
	var mug int64
	if err := l.tx.QueryRow(ctx, `
		SELECT p.id
		FROM product p
		WHERE p.status = 'active' AND EXISTS (
				SELECT FROM in_stock s JOIN location l ON l.id = s.location_id AND l.code = 'LDS' WHERE s.product_id = p.id)
			AND NOT EXISTS (
				SELECT FROM orders o JOIN order_line l ON l.order_id = o.id JOIN variant v ON v.id = l.variant_id
				WHERE o.customer_id = $1 AND v.product_id = p.id)
			AND NOT EXISTS (
				SELECT FROM cart c JOIN cart_line l ON l.cart_id = c.id JOIN variant v ON v.id = l.variant_id
				WHERE c.customer_id = $1 AND v.product_id = p.id)
		ORDER BY p.popularity DESC, p.id
		LIMIT 1`, id).Scan(&mug); err != nil {
		return err
	}
	for _, days := range []int{1, 3, 4, 8} {
		seen = append(seen, browsing.Event{Device: device, At: time.Now().AddDate(0, 0, -days), ProductID: mug})
	}
	// In the first days of a month some of that was in the month before.
	if err := browsing.TurnMonths(ctx, l.tx, time.Now().AddDate(0, 0, -9)); err != nil {
		return err
	}
	return browsing.Write(ctx, l.tx, seen)
}

// double is the same person once more, as a till without the website would have made them.
func (l *loader) double(ctx context.Context, name, phone string) error {
	first, last, _ := strings.Cut(name, " ")
	id, err := customer.Create(ctx, l.tx, first[:1]+". "+last, "en", "counter")
	if err != nil {
		return err
	}
	if err := customer.Identify(ctx, l.tx, id, customer.Identity{Kind: customer.Phone, Value: phone,
		Source: "counter"}); err != nil {
		return err
	}
	_, err = customer.IssueCard(ctx, l.tx, id)
	return err
}

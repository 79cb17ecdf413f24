package journey

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/message"
	"counterpart/internal/flow/notices"
	"counterpart/internal/platform/pg"

	"github.com/jackc/pgx/v5"
)

// Somebody without an account asks to hear of what is sold out, proves their address, and is told once; the office sees
// why it went.
func TestBackInStockFromThePhone(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	var variant int64
	var slug string
	require.NoError(t, p.DB.QueryRow(ctx, `
		SELECT v.id, p.slug FROM variant v JOIN product p ON p.id = v.product_id WHERE p.slug = 'morning-mug'
		ORDER BY v.position LIMIT 1`).Scan(&variant, &slug))
	_, err := p.DB.Exec(ctx, `
		INSERT INTO stock_move (variant_id, location_id, delta, cause, channel)
		SELECT variant_id, location_id, reserved - on_hand, 'count', 'api' FROM stock_level
		WHERE variant_id = $1 AND condition = 'sellable' AND on_hand > reserved`, variant)
	require.NoError(t, err)
	_, err = p.DB.Exec(ctx, `UPDATE stock_level SET on_hand = reserved WHERE variant_id = $1 AND condition = 'sellable'`, variant)
	require.NoError(t, err)
	var sku string
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT sku FROM variant WHERE id = $1`, variant).Scan(&sku))

	phone := p.person(t, 390, 844)
	phone.visit("/p/" + slug + "?v=" + sku)
	phone.sees("Hear when it’s back")
	phone.fits("sold out")
	phone.accessible("sold out")
	phone.write(`.notice-form [name="email"]`, "nora@example")
	phone.eventually(`document.querySelector(".notice-form").noValidate = true`)
	phone.click(".notice-form .button")
	phone.sees("Enter a valid email address")
	phone.eventually(`document.querySelector('.notice-form [name="email"]').value === "nora@example"`) // what was typed stays
	phone.write(`.notice-form [name="email"]`, "nora@example.com")
	phone.click(".notice-form .button")
	phone.sees("Check your email")
	phone.visit(p.link(t, "nora@example.com", "/notices/"))
	phone.click(".sign .button")
	phone.sees("Your address is confirmed")

	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	send := func() {
		require.NoError(t, notices.Send(ctx, p.DB, notices.Tools{Sender: message.Sender{Host: "127.0.0.1", Port: p.Mail.Port,
			From: "shop@example.com"}, Base: p.URL, Now: func() time.Time { return noon }}))
	}
	told := func() (n int) {
		for _, m := range p.Mail.Mails() {
			if m.To == "nora@example.com" && strings.Contains(m.Text, "is back in stock") {
				n++
			}
		}
		return n
	}
	send()
	require.Zero(t, told())
	require.NoError(t, pg.InTx(ctx, p.DB, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: variant, LocationID: 1, Delta: 4}},
			inventory.Reason{Channel: "api", Reason: "delivery"})
	}))
	_, err = p.DB.Exec(ctx, `UPDATE outreach SET due_at = $1 WHERE state = 'waiting'`, noon.Add(-time.Hour))
	require.NoError(t, err)
	for range 3 {
		send()
		_, err = p.DB.Exec(ctx, `UPDATE outreach SET due_at = $1 WHERE state = 'waiting'`, noon.Add(-time.Hour))
		require.NoError(t, err)
	}
	require.Equal(t, 1, told())

	office := p.person(t, 1280, 800)
	change := func(field string) {
		office.eventually(fmt.Sprintf(`(() => { const s = document.querySelector("#field-0"); s.value = %q;
			return s.dispatchEvent(new Event("change", {bubbles: true})) })()`, field))
	}
	office.signIn(p.Accounts["Imogen"])
	office.visit("/admin/messages")
	office.sees("Back in stock")
	office.sees("Sent")
	// A segment reads as a sentence and counts while it is made.
	office.visit("/admin/segments/new")
	office.write("#f-title", "Big spenders")
	office.write("#number-0", "3")
	office.eventually(`document.querySelector("#number-0").dispatchEvent(new Event("change", {bubbles: true}))`)
	office.sees("Orders: at least 3")
	change("near")
	office.eventually(`document.querySelector("#text-0") && document.querySelector("#text-0").tagName === "INPUT"`)
	office.write("#text-0", "Atlantis")
	office.click(`.segment-form .form-actions button[value="save"]`)
	office.sees("We don’t know where that is")
	change("spent")
	office.eventually(`!document.querySelector("#text-0")`)
	office.write("#number-0", "100")
	office.click(`.segment-form .form-actions button[value="save"]`)
	office.sees("Show people")
	var people int
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT count(*) FROM segment_member m JOIN segment s ON s.id = m.segment_id AND s.title = 'Big spenders'`).Scan(&people))
	require.Positive(t, people)
	office.sees(fmt.Sprintf("%d people", people))
}

package journey

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/loyalty"
)

// TestPointsAndTiersInEveryChannel: somebody joins at the counter and buys; the phone shows what is pending and the tier that
// they reached, and the counter the same; staff give points with a reason; points end, and a visit brings them back.
func TestPointsAndTiersInEveryChannel(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	var sku string
	var amount int64
	require.NoError(t, p.DB.QueryRow(ctx, `
		SELECT v.sku, price.amount
		FROM variant v
		JOIN price ON price.variant_id = v.id AND price.valid @> now() AND price.amount BETWEEN 25000 AND 90000
		JOIN price_list l ON l.id = price.price_list_id AND l.currency = 'GBP'
		JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 1
		JOIN location at ON at.id = s.location_id AND at.code = 'LDS'
		WHERE v.active
		ORDER BY v.id
		LIMIT 1`).Scan(&sku, &amount))
	associate, phone := p.person(t, 1280, 800), p.person(t, 390, 844)
	associate.signIn(p.Accounts["Priya"])
	associate.search("mina.teale@example.com")
	associate.write("#f-name", "Mina Teale")
	associate.click(".welcome form .button")
	associate.sees("Live cart")
	mina := id(associate.location())
	associate.click(`form[action$="/invite"] button`)
	associate.sees("We’ve emailed them the link")
	phone.visit(p.link(t, "mina.teale@example.com", "/welcome/"))
	phone.click(".sign .button")
	phone.visit("/account/points")
	phone.sees("No points yet")

	associate.visit("/counter/sales/" + mina)
	associate.write("#f-article", sku)
	associate.click(".add-article button")
	associate.paidInCash()
	earned := amount / 100
	require.Eventually(t, func() bool {
		phone.visit("/account/points")
		return strings.Contains(phone.text("body"), "Silver until")
	}, patience, 200*time.Millisecond)
	phone.sees(fmt.Sprintf("and %d more once the return windows close", earned))
	phone.sees("to Gold by")
	phone.fits("points")
	phone.accessible("points")
	associate.visit("/counter/customers/" + mina)
	associate.sees("Silver")
	associate.sees(fmt.Sprintf("%d pending", earned))

	// Staff give some, and say why.
	associate.script(`document.querySelector('form[action$="/points"]').closest("details").open = true`)
	associate.write("#f-points", "501")
	associate.write("#f-reason", "Her parcel was late")
	associate.click(`form[action$="/points"] button`)
	associate.sees("up to 500 points")
	require.Equal(t, "Her parcel was late", associate.value("#f-reason"), "what was typed is kept")
	associate.write("#f-points", "50")
	associate.click(`form[action$="/points"] button`)
	associate.sees("Points changed.")
	phone.visit("/account/points")
	phone.sees("50 points to spend")
	phone.sees("Changed by our staff")

	// The return window closes and the year passes: the points end, and her visit brings them back.
	_, err := p.DB.Exec(ctx, `UPDATE points_lot SET vests_at = now() - interval '3 years' WHERE customer_id = $1`, mina)
	require.NoError(t, err)
	_, err = p.DB.Exec(ctx, `UPDATE programme SET expiry_since = now()::date - 800, swept_on = NULL`)
	require.NoError(t, err)
	require.NoError(t, loyalty.Daily(ctx, p.DB, time.Now()))
	phone.visit("/account/points")
	phone.sees(fmt.Sprintf("%d points have expired", earned+50))
	phone.sees("0 points to spend")
	phone.fits("points that ended")
	phone.click(".points-back button")
	phone.sees(fmt.Sprintf("%d points to spend", earned+50))
	phone.sees("Brought back")
	clean(t, p)
}

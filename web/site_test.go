package web_test

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/web"
)

var ctx = context.Background()

type place struct {
	*sample.Chain
	url  string
	db   *pgxpool.Pool
	site web.Site
}

func open(t *testing.T) *place {
	t.Helper()
	pool, address := pgtest.Database(t)
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	listening, stop := context.WithCancel(ctx)
	t.Cleanup(stop)
	site := web.Site{DB: pgtest.Server(t, address), Files: store, Live: live.Listen(listening, address),
		BaseURL: "http://localhost", Draining: &atomic.Bool{}}
	server := httptest.NewServer(site.Handler())
	t.Cleanup(server.Close)
	return &place{Chain: sample.Load(t, pool), url: server.URL, db: pool, site: site}
}

// A visitor is a browser without a screen.
type visitor struct {
	t      testing.TB
	base   string
	client *http.Client
}

func (p *place) visitor(t testing.TB) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, p.url, &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var transport = &http.Transport{MaxIdleConnsPerHost: 64}

func (v *visitor) send(r *http.Request) (status int, body, location string) {
	answer, err := v.client.Do(r)
	require.NoError(v.t, err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	require.NoError(v.t, err)
	return answer.StatusCode, string(read), answer.Header.Get("Location")
}

func (v *visitor) get(path string) (int, string, string) {
	r, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	require.NoError(v.t, err)
	return v.send(r)
}

func (v *visitor) post(path string, form url.Values) (int, string, string) {
	r, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(r)
}

// cookie puts a cookie into the browser.
func (v *visitor) cookie(name, value string) {
	u, err := url.Parse(v.base)
	require.NoError(v.t, err)
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (v *visitor) signIn(email string) {
	v.t.Helper()
	status, _, _ := v.post("/staff/sign-in", url.Values{"email": {email}, "password": {sample.Password}})
	require.Equal(v.t, http.StatusSeeOther, status)
}

var (
	cartField  = regexp.MustCompile(`name="cart" value="(\d+)"`)
	totalField = regexp.MustCompile(`name="total" value="(\d+)"`)
)

// fill puts a mug into the cart for Harbour Street and answers with the checkout's form.
func (v *visitor) fill(c *place, variant int64) url.Values {
	v.t.Helper()
	v.post("/stores/harbour-street/choose", nil)
	v.post("/cart", url.Values{"variant": {fmt.Sprint(variant)}, "quantity": {"1"}})
	_, body, _ := v.get("/checkout")
	cart, total := cartField.FindStringSubmatch(body), totalField.FindStringSubmatch(body)
	if cart == nil || total == nil {
		return nil
	}
	return url.Values{"cart": {cart[1]}, "total": {total[1]}, "name": {"Ada"}, "email": {"ada@example.com"},
		"pay": {"pay_at_pickup"}}
}

func (p *place) sound(t testing.TB) {
	t.Helper()
	findings, err := audit.Run(ctx, p.db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

// TestTheLastFiftySellOnce sends 200 shoppers after the last 50 of one variant, three quarters through the web and a
// quarter through the counter: exactly 50 have it, the others are told so, nobody sees an error.
func TestTheLastFiftySellOnce(t *testing.T) {
	p := open(t)
	counter := p.visitor(t)
	counter.signIn(p.Bea.Email)
	const shoppers, pieces = 200, 50
	rounds := 6
	if os.Getenv("TORTURE") != "" {
		rounds = 60
	}
	for round := range rounds {
		// Nobody opens a thousand profiles within an hour: see person.Open.
		_, err := p.db.Exec(ctx, `DELETE FROM try`)
		require.NoError(t, err)
		require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
			var free int
			if err := tx.QueryRow(ctx,
				`SELECT on_hand - reserved FROM stock_level WHERE variant_id = $1 AND location_id = $2`, p.BlueMug,
				p.HarbourStreet.ID).Scan(&free); err != nil {
				return err
			}
			return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: p.BlueMug, LocationID: p.HarbourStreet.ID,
				Delta: pieces - free + shoppers}}, inventory.Reason{Channel: "api"})
		}))
		type buyer struct {
			v    *visitor
			path string
			form url.Values
		}
		buyers := make([]buyer, shoppers)
		var filling sync.WaitGroup
		for i := range buyers {
			filling.Go(func() {
				v := p.visitor(t)
				form := v.fill(p, p.BlueMug)
				require.NotNil(t, form)
				buyers[i] = buyer{v, "/checkout", form}
				if i%4 == 0 {
					var customer int64
					require.NoError(t, p.db.QueryRow(ctx, `SELECT customer_id FROM cart WHERE id = $1`,
						form.Get("cart")).Scan(&customer))
					buyers[i] = buyer{counter, fmt.Sprintf("/counter/customers/%d/reserve", customer), form}
				}
			})
		}
		filling.Wait()
		// Everybody has looked at a full shelf; now all but fifty are gone.
		_, err = p.db.Exec(ctx, `
			WITH gone AS (
				UPDATE stock_level SET on_hand = reserved + $3 WHERE variant_id = $1 AND location_id = $2
				RETURNING on_hand - $4)
			INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT $1, $2, -$4, 'count', 'api'
				FROM gone`, p.BlueMug, p.HarbourStreet.ID, pieces, shoppers)
		require.NoError(t, err)

		var won, told atomic.Int32
		var buying sync.WaitGroup
		for _, b := range buyers {
			buying.Go(func() {
				status, body, _ := b.v.post(b.path, b.form)
				switch {
				case status == http.StatusSeeOther:
					won.Add(1)
				case status == http.StatusConflict && (strings.Contains(body, "Someone just bought the last") ||
					strings.Contains(body, "left at")):
					told.Add(1)
				default:
					assert.Fail(t, "neither sold nor told", "round %d: %d\n%s", round, status, body)
				}
			})
		}
		buying.Wait()
		require.Equal(t, []int32{pieces, shoppers - pieces}, []int32{won.Load(), told.Load()}, "round %d", round)
	}
	var orders, distinct, deadlocks int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*), count(DISTINCT cart_id) FROM orders`).Scan(&orders,
		&distinct))
	require.Equal(t, []int{rounds * pieces, rounds * pieces}, []int{orders, distinct})
	require.NoError(t, p.db.QueryRow(ctx,
		`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks))
	require.Zero(t, deadlocks)
	p.sound(t)
}

func TestACheckoutSentFiftyTimesIsOneOrderAndOneAnswer(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	form := v.fill(p, p.Mug)
	require.NotNil(t, form)

	var answers sync.Map
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			status, _, location := v.post("/checkout", form)
			assert.Equal(t, http.StatusSeeOther, status)
			answers.Store(location, true)
		})
	}
	wg.Wait()

	n := 0
	answers.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
	var orders int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*) FROM orders`).Scan(&orders))
	require.Equal(t, 1, orders)
	p.sound(t)
}

// bad is what people and machines send where something else was meant.
var bad = []string{"", " ", "-1", "0", "1.5", "1,5", "1e9", "99999999999999999999", "9223372036854775807", "2147483647",
	"2147483648", "-2147483649", "-9223372036854775808", "9223372036854775808", "NaN", "\xed\xa0\x80", "٣", "🙂", "\x00",
	"\xff\xfe", "a\x00b",
	"' OR 1=1 --", "%", "_", `\`, "<script>alert(1)</script>", "\u202eevil", strings.Repeat("x",
		100_000), strings.Repeat("é\u0301", 3_000), "/../../etc/passwd", "//evil.example", "null", "[]", "true"}

var placeFields = []string{"name", "code", "kind", "slug", "street", "town", "postcode", "country", "region", "phone",
	"latitude", "longitude", "time_zone", "currency", "tax_included", "preparation", "day1", "day7"}

// fields of every form, and the words of every query.
var forms = map[string][]string{
	"/cart": {"variant", "quantity",
		"back"}, "/cart/lines/{id}": {"quantity"}, "/cart/lines/{id}/later": {}, "/checkout": {"cart", "total", "terms", "name",
		"email", "phone", "pay", "do", "code", "gift_card", "points", "credit", "lines", "town", "region", "postcode",
		"country", "delivery", "vat_number"},
	"/cart/lines/{id}/way": {"way"}, "/cart/lines/{id}/note": {"note"}, "/cart/codes": {"code"},
	"/cart/codes/remove": {"code"}, "/cart/share": {}, "/carts/{word}": {}, "/gift-cards": {"gift_card"},
	"/admin/promotions": {"title", "kind", "percent", "amount", "currency", "buy", "get", "pieces", "steps", "gift",
		"times", "products", "category", "tags", "quantity", "subtotal", "segments", "in_segment", "tiers", "first_order",
		"needs_code", "starts", "ends", "location", "method", "weekday", "from", "until", "max_uses",
		"max_per_customer", "max_per_day", "budget", "priority", "exclusion", "combines"},
	"/admin/promotions/{id}": {"title", "kind", "percent", "amount", "currency", "steps", "gift", "products",
		"category", "starts", "version",
		"budget"}, "/admin/promotions/{id}/move": {"to"}, "/admin/promotions/{id}/copy": {},
	"/admin/promotions/{id}/codes": {"code", "uses", "customer", "prefix",
		"count"}, "/admin/promotions/{id}/codes/{coupon}/disable": {}, "/admin/payments/{id}/close": {"note",
		"again"}, "/admin/customers/{id}/tier": {"tier", "until", "reason"}, "/admin/settings/policy": {"points_rate", "points_worth",
		"points_minimum", "return_days", "refund_limit_GBP", "shortage_hours", "keep_delivery"},
	"/admin/settings/seller": {"location", "legal_name", "seller_address", "company_number",
		"vat_number"}, "/admin/settings/tax": {"country", "region", "class", "tax_name", "percent", "from"},
	"/admin/settings/tax/plans/{plan}/remove": {}, "/admin/settings/classes": {"class_name"},
	"/admin/settings/carriers": {"carriers"}, "/admin/look": {"accent", "ground", "ink", "text_font", "display_font",
		"header_links", "footer_links", "was.accent"}, "/admin/look/details": {"shop_name", "languages", "sender_name",
		"reply_to", "idle_minutes", "write_off_limit", "second_factor"}, "/admin/look/logo": {"logo"},
	"/admin/look/logo/remove": {}, "/admin/pages": {"kind", "language", "title", "body", "slug", "in_footer"},
	"/admin/pages/{id}": {"language", "title", "body", "slug", "in_footer", "was.title"},
	"/admin/settings/delivery": {"id", "name", "carrier", "countries", "currency", "min_days", "max_days", "cutoff",
		"rates", "active"},
	"/orders/{link}/extend": {"part"}, "/orders/{link}/choose": {"shortage", "what", "store", "name", "lines",
		"town", "region", "postcode"},
	"/counter/orders/{id}/give": {}, "/counter/orders/{id}/receipt": {"email"}, "/counter/orders/{id}/void": {},
	"/counter/tasks/{id}/take": {}, "/counter/tasks/{id}/done": {},
	"/orders/{link}/pay": {"pay", "terms"}, "/orders/{link}/cancel": {}, "/orders/{link}/again": {},
	"/counter/pickups/{id}/send": {"carrier", "tracking"}, "/counter/sales": {},
	"/counter/sales/{id}/scan":         {"article", "of"},
	"/counter/sales/{id}/lines/{line}": {"quantity", "do", "way"}, "/counter/sales/{id}/towards": {"do", "code",
		"points", "credit"}, "/counter/sales/{id}/attach": {"who", "customer"},
	"/counter/sales/{id}/pay": {"cart", "total", "kind", "given", "sure", "email", "phone", "name", "lines", "town",
		"region", "postcode", "country"}, "/counter/orders/{id}/return": {"form", "quantity-1", "reason-1", "grade-1",
		"restock-1", "article", "instead", "credit", "kind", "given", "manager", "pin", "reason", "confirm",
		"seen"}, "/counter/orders/{id}/pay": {"kind", "given", "sure"},
	"/stores/{slug}/choose": {"back"},
	"/list":                 {"variant"}, "/list/{variant}/remove": {"list",
		"back"}, "/list/{variant}/cart": {"list"}, "/remember": {"purpose", "given", "back"}, "/stores": {"latitude",
		"longitude", "back"},
	"/sign-in": {"email", "password", "next", "by"}, "/sign-in/passkey": {"challenge", "answer",
		"next"}, "/sign-in/passkey/ask": {}, "/sign-in/{token}": {}, "/register": {"name", "email", "password"},
	"/begin/{token}": {}, "/welcome/{token}": {}, "/forgotten": {"email"}, "/reset/{token}": {"password"},
	"/email/old/{token}": {}, "/email/new/{token}": {}, "/export/{token}": {},
	"/account/details": {"name", "store", "language"}, "/account/sizes": {"size-name",
		"size-value"}, "/account/password": {"current", "password"}, "/account/email": {"email", "current"},
	"/account/phone": {"phone"}, "/account/phone/code": {"question",
		"code"}, "/account/passkeys/ask": {}, "/account/passkeys": {"challenge",
		"answer"}, "/account/passkeys/{id}/remove": {"current"},
	"/account/sign-out-everywhere": {}, "/account/addresses": {"id", "name", "lines", "town", "region", "postcode",
		"country", "phone"}, "/account/addresses/{id}/remove": {},
	"/account/consent": {"purpose", "medium", "given"}, "/account/export": {}, "/account/erase": {"current", "sure"},
	"/staff/sign-in": {"email", "password", "next"}, "/staff/sign-in/code": {"challenge", "code",
		"next"}, "/staff/sign-in/passkey": {"challenge", "answer", "next"}, "/staff/store": {"store", "next"},
	"/staff/change": {"associate", "pin", "next"}, "/staff/change/unlock": {"manager", "pin",
		"reason"}, "/staff/locked": {"anything"}, "/staff/unlock": {"unlock-secret", "unlock-next", "unlock-again",
		"other"},
	"/staff/second/begin": {}, "/staff/second/code": {"challenge",
		"code"}, "/staff/second/passkey": {}, "/staff/second/passkey/keep": {"challenge", "answer",
		"name"}, "/staff/pin": {"pin", "password"},
	"/staff/language": {"language"}, "/staff/password": {"current", "password"}, "/staff/machine": {"name", "store"},
	"/setup": {"token", "shop", "language", "store", "street", "town", "postcode", "country", "rate",
		"legal_name", "seller_address", "company_number", "vat_number", "name", "email", "password"},
	"/counter/search": {"q"}, "/counter/customers": {"name", "email",
		"phone"}, "/counter/customers/{id}/cart": {"article"}, "/counter/customers/{id}/lines/{line}": {"quantity"},
	"/counter/customers/{id}/reserve": {"cart", "total", "name", "email", "phone",
		"channel"}, "/counter/customers/{id}/identities": {"contact"}, "/counter/customers/{id}/identities/{identity}/remove": {},
	"/counter/customers/{id}/invite": {}, "/counter/customers/{id}/consent": {"purpose", "medium",
		"given"}, "/counter/customers/{id}/sizes": {"size-name", "size-value"},
	"/counter/customers/{id}/notes": {"kind",
		"body"}, "/counter/customers/{id}/notes/{note}/close": {}, "/counter/customers/{id}/list/{variant}/cart": {"list"},
	"/counter/customers/{id}/hints":              {"reason", "product", "order", "mark"},
	"/counter/customers/{id}/merge/{other}/code": {"kind"}, "/counter/customers/{id}/merge/{other}": {"question",
		"code", "sent", "manager", "pin", "reason"},
	"/counter/pickups/{id}/ready": {"place"}, "/counter/pickups/{id}/missing": {"line", "quantity"},
	"/counter/pickups/{id}/choose": {"shortage", "what"}, "/counter/pickups/{id}/pick": {"line",
		"picked"}, "/counter/pickups/{id}/handover": {"code", "kind",
		"given"}, "/counter/pickups/{id}/cancel": {}, "/admin/products": {"title", "description", "brand", "department", "class", "option1", "values1", "option2",
		"values2", "option3", "values3", "price_1"},
	"/admin/products/{id}": {"title", "description", "seo_title", "seo_description", "slug", "brand", "status",
		"publish_at", "tags", "categories", "minimum_age", "pickup", "ship", "origin_country", "customs_code",
		"language", "was.title", "was.categories"},
	"/admin/products/{id}/options": {"option1", "values1", "option2", "values2", "option3", "values3"},
	"/admin/products/{id}/variants": {"sku.1", "was.sku.1", "code.1", "was.code.1", "grams.1", "was.grams.1",
		"cost.1", "was.cost.1", "class.1", "was.class.1", "content.1", "was.content.1", "unit.1", "was.unit.1",
		"picture.1", "was.picture.1", "price.1.1", "was.price.1.1", "rrp.1.1", "was.rrp.1.1"},
	"/admin/products/{id}/attributes": {"attribute.1", "was.attribute.1"}, "/admin/products/{id}/related": {"related"},
	"/admin/products/{id}/duplicate": {}, "/admin/products/{id}/sale": {"sale_variant", "sale_list", "sale_price",
		"sale_from", "sale_until"}, "/admin/products/{id}/sale/end": {"sale_variant", "sale_list"},
	"/admin/products/{id}/pictures": {"pictures"}, "/admin/products/{id}/pictures/order": {"order"},
	"/admin/products/{id}/pictures/{picture}":        {"alt", "crop_left", "crop_top", "crop_width"},
	"/admin/products/{id}/pictures/{picture}/remove": {}, "/admin/products/{id}/files": {"file", "file_title"},
	"/admin/products/{id}/files/{file}/remove": {}, "/admin/views": {"list", "name", "query"},
	"/admin/views/{id}/remove": {}, "/admin/departments": {"department", "name_en", "slug", "parent", "in_menu"},
	"/admin/departments/{id}/move": {"to", "parent", "before"}, "/admin/departments/{id}/remove": {},
	"/admin/orders/{id}/hold": {"reason"}, "/admin/orders/{id}/release": {}, "/admin/orders/{id}/contact": {"name",
		"email", "phone", "was.name"}, "/admin/orders/{id}/tags": {"tags"}, "/admin/orders/{id}/notes": {"note"},
	"/admin/orders/{id}/mail": {"mail"}, "/admin/orders/{id}/parts/{part}/address": {"to_name", "lines", "town",
		"region", "postcode"}, "/admin/orders/{id}/parts/{part}/tracking": {"carrier", "tracking", "do"},
	"/admin/orders/{id}/parcels/{parcel}/remove": {}, "/admin/orders/{id}/lines/{line}/cancel": {"quantity", "reason"},
	"/admin/sample": {"do"}, "/admin/orders/drafts": {"customer", "adds_to"}, "/admin/orders/drafts/{id}/drop": {},
	"/admin/orders/drafts/{id}": {"do", "name", "email", "phone", "lines", "town", "region", "postcode", "country", "store",
		"delivery", "code", "find", "pay", "lives", "total", "quantity-1", "way-1"},
	"/admin/orders/{id}/cancel": {"reason"}, "/admin/orders/{id}/refund": {"amount", "of", "reason"},
	"/admin/orders/{id}/lines/{line}/move": {"quantity", "target", "to_name", "lines", "town", "postcode"},
	"/admin/places":                        placeFields, "/admin/places/{id}": placeFields, "/admin/places/{id}/close": {"sure"},
	"/admin/places/{id}/days":        {"day", "day_name", "day_hours", "day_preparation"},
	"/admin/places/{id}/days/remove": {"day"}, "/admin/places/{id}/calendar": {"calendar"},
	"/admin/customers":                                 {"name", "language", "company", "vat_number", "email", "phone"},
	"/admin/customers/{id}":                            {"name", "language", "company", "vat_number", "was.name"},
	"/admin/customers/{id}/addresses":                  {"address", "to_name", "lines", "town", "region", "postcode", "country", "to_phone"},
	"/admin/customers/{id}/addresses/{address}/remove": {},
	"/admin/customers/{id}/credit":                     {"credit_amount", "credit_currency", "credit_reason"},
	"/admin/customers/{id}/notes":                      {"body"}, "/admin/gift-cards": {"amount", "currency", "to", "reason"},
	"/admin/gift-cards/{id}/disable": {"reason"}, "/admin/suggestions/{reason}": {"weight", "active"},
	"/admin/tiers":      {"title", "position", "counts", "threshold", "currency", "benefit", "return_days", "contact", "version"},
	"/admin/tiers/{id}": {"title", "position", "counts", "threshold", "currency", "benefit", "return_days", "contact", "version"}, "/admin/tiers/{id}/archive": {},
	"/admin/points":          {"vesting", "expiry", "expiry_months", "warn_first", "warn_last", "grace_days", "adjust_limit", "debt", "version"},
	"/account/points/revive": {}, "/counter/customers/{id}/points": {"points", "reason", "form"}, "/counter/customers/{id}/points/revive": {},
	"/admin/suggestions/places/{place}": {"active", "fewest", "most", "owned", "in_store", "source", "only", "never", "version"},
	"/notices":                          {"variant", "kind", "medium", "email", "back"}, "/notices/{token}": {}, "/account/notices/{id}/withdraw": {},
	"/counter/customers/{id}/client": {"take"}, "/counter/customers/{id}/reminders": {"reminder", "due", "yearly"},
	"/counter/customers/{id}/reminders/{reminder}/done": {}, "/counter/book/{reminder}/done": {},
	"/counter/customers/{id}/messages": {"medium", "body", "products"}, "/admin/messages": {"quiet_from", "quiet_until", "most", "days"},
	"/admin/staff/{id}/handover":   {"to"},
	"/admin/segments":              {"title", "living", "do", "match", "in", "field", "compare", "text", "number", "days", "place"},
	"/admin/segments/{id}":         {"title", "living", "do", "match", "in", "field", "compare", "text", "number", "days", "place", "version"},
	"/admin/segments/{id}/archive": {}, "/admin/stock/{location}/{variant}/move": {"quantity", "reason", "from", "to"},
	"/admin/stock/{location}/{variant}/shelf": {"safety", "bin", "was.safety", "was.bin"},
	"/admin/attributes":                       {"attribute", "attribute_name", "attribute_kind", "attribute_unit", "attribute_facet"}, "/admin/variants/{id}/rule": {"min", "max", "gift_card"}, "/admin/variants/{id}/break": {"list", "from",
		"members", "tier", "segment", "amount"}, "/counter/customers/{id}/share": {},
	"/admin/stock/{location}/{variant}/receive": {"quantity",
		"reason"}, "/admin/stock/{location}/{variant}/count": {"quantity", "reason"},
	"/admin/customers/{id}/tags": {"tag", "off"}, "/admin/customers/{id}/consent": {"purpose", "medium",
		"given"}, "/admin/customers/{id}/shut": {"shut", "reason"},
	"/admin/customers/{id}/export": {"manager", "pin", "reason"}, "/admin/customers/{id}/unmerge": {"merge",
		"reason"}, "/admin/customers/{id}/erase": {"sure"},
	"/admin/staff": {"name", "email", "role", "location"}, "/admin/staff/{id}": {"name", "role", "location",
		"disabled"}, "/admin/staff/{id}/renew": {}, "/admin/devices/{id}/revoke": {}, "/admin/devices/{id}/unlock": {},
}

var queries = map[string][]string{
	"/": {"x"}, "/search": {"q", "page", "sort", "min", "max", "stock", "o.Colour"}, "/d/{slug}": {"page", "sort",
		"min", "max", "stock", "o.Colour"}, "/p/{slug}": {"v", "near"}, "/stores": {"near", "back"},
	"/cart": {"added"}, "/staff/sign-in": {"next"}, "/setup": {"token"}, "/staff/store": {"next"}, "/counter": {"done",
		"change", "currency"}, "/admin/products": {"q", "status", "department", "empty", "before", "after", "last", "without"}, "/admin/products.csv": {"q"}, "/admin/products/{id}": {"language"}, "/admin/departments": {"department", "attribute"}, "/admin/orders": {"q", "state", "payment",
		"fulfilment", "channel", "store", "from", "to", "before", "after", "late",
		"returned", "held", "tag", "min", "max", "last", "without"}, "/admin/orders.csv": {"q", "store", "from", "to"}, "/admin/stock": {"q", "at", "low", "before", "after", "last"}, "/admin/stock.csv": {"q", "at"}, "/admin/stock/{location}/{variant}": {"cause", "before"}, "/admin/find": {"q"}, "/admin/gift-cards": {"q"}, "/admin/gift-cards.csv": {"q"}, "/admin/customers.csv": {"q", "spent"},
	"/pages/{slug}": {"version"}, "/admin/pages/new": {"kind"}, "/admin/pages/{id}": {"language"},
	"/sign-in": {"next"}, "/email/done": {"is"}, "/account/details": {"done"}, "/account/addresses": {"edit",
		"done"}, "/staff/change": {"next"}, "/staff/locked": {"next"},
	"/admin/customers": {"q", "before", "after", "spent", "orders", "away", "within", "store", "tag", "account",
		"news"}, "/admin/trail": {"by", "action", "from", "to", "page"}, "/admin/journal.csv": {"from",
		"to"}, "/admin/settings": {"delivery", "done"}, "/admin/trail.csv": {"by", "action", "from", "to"},
}

// TestHostileInputNeverAnswers500 sends every bad value through every field of every form, every word of every query
// and every part of every path, as somebody who may: a sentence comes back, never an error of ours.
func TestHostileInputNeverAnswers500(t *testing.T) {
	p := open(t)
	boss := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &boss,
			sample.Password)
	}))
	v := p.visitor(t)
	v.signIn(boss.Email)
	v.post("/staff/store", url.Values{"store": {"HAR"}})
	_, token := sample.Account(t, p.db, "Ada", "ada@example.com")
	v.cookie("shopper", token)
	form := v.fill(p, p.Mug)
	_, _, order := v.post("/checkout", form)
	require.NotNil(t, v.fill(p, p.BlueMug))
	var fulfilment, customer, line int64
	require.NoError(t, p.db.QueryRow(ctx,
		`SELECT f.id, o.customer_id FROM fulfilment f JOIN orders o ON o.id = f.order_id`).Scan(&fulfilment, &customer))
	require.NoError(t, p.db.QueryRow(ctx, `SELECT id FROM cart_line ORDER BY id DESC LIMIT 1`).Scan(&line))
	var promo int64
	require.NoError(t, p.db.QueryRow(ctx,
		`INSERT INTO promotion (title, rule) VALUES ('Ten off', '{"effect": {"kind": "percent", "percent": 1000}}') RETURNING id`).Scan(&promo))
	_, err := p.db.Exec(ctx, `INSERT INTO coupon (promotion_id, code) VALUES ($1, 'TEN'); `, promo)
	require.NoError(t, err)
	_, err = p.db.Exec(ctx,
		`INSERT INTO difference (kind, reference) SELECT 'unknown', 'sb_' || n FROM generate_series(1, 99) n`)
	require.NoError(t, err)
	var written int64
	require.NoError(t, p.db.QueryRow(ctx, `INSERT INTO page (kind, slug) VALUES ('terms', 'terms') RETURNING id`).Scan(&written))
	_, err = p.db.Exec(ctx, `INSERT INTO page_version (page_id, language, title, body) VALUES ($1, 'en', 'Terms', 'Fair ones.')`,
		written)
	require.NoError(t, err)
	good := func(pattern string) string {
		id := fulfilment
		if strings.Contains(pattern, "pages") {
			id = written
		} else if strings.Contains(pattern, "promotions") {
			id = promo
		} else if strings.Contains(pattern, "customers") {
			id = customer
		} else if strings.Contains(pattern, "cart") {
			id = line
		} else if strings.Contains(pattern, "variants") || strings.Contains(pattern, "products") {
			id = p.Mug
		}
		slug := "kitchen"
		if strings.HasPrefix(pattern, "/p/") {
			slug = "mug"
		} else if strings.HasPrefix(pattern, "/pages/") {
			slug = "terms"
		} else if strings.HasPrefix(pattern, "/stores") {
			slug = "harbour-street"
		}
		return strings.NewReplacer("{id}", fmt.Sprint(id), "{slug}", slug, "{line}", fmt.Sprint(line), "{location}",
			"HAR", "{variant}", fmt.Sprint(p.Mug), "{sku}", "MUG-W", "{link}", strings.TrimPrefix(order, "/orders/"),
			"{token}", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "{other}", fmt.Sprint(customer+1), "{identity}", "1", "{note}", "1", "{coupon}", "1", "{picture}", "1", "{address}", "1", "{file}", "1", "{plan}", "1", "{key}", "logo-1", "{part}", fmt.Sprint(fulfilment), "{parcel}", "1", "{word}", "AAAAAAAAAAAAAAAAAAAAAAAAAA").Replace(pattern)
	}
	var sent atomic.Int64
	check := func(what string, status int, body string) {
		t.Helper()
		sent.Add(1)
		assert.Less(t, status, 500, what)
		if !strings.Contains(what, ".csv") { // A file to save, which no browser reads as a page.
			assert.NotContains(t, body, "<script>alert(1)", what)
		}
		assert.NotContains(t, body, "SQLSTATE", what)
	}
	parts := regexp.MustCompile(`\{\w+\}`)
	var asking errgroup.Group
	asking.SetLimit(6)
	for _, route := range p.site.Routes().All() {
		if strings.HasSuffix(route.Pattern, "/events") || slices.Contains([]string{"/staff/sign-out", "/staff/lock",
			"/sign-out"}, route.Pattern) || route.Pattern == "/staff/sign-in" && route.Method == http.MethodPost {
			continue
		}
		fields, known := forms[route.Pattern]
		require.True(t, known || route.Method == http.MethodGet, "%s has a form that this test does not know",
			route.Pattern)
		asking.Go(func() error {
			for _, value := range bad {
				for _, part := range parts.FindAllString(route.Pattern, -1) {
					path := good(strings.Replace(route.Pattern, part, url.PathEscape(value), 1))
					var status int
					var body string
					if route.Method == http.MethodGet {
						status, body, _ = v.get(path)
					} else {
						status, body, _ = v.post(path, nil)
					}
					check(fmt.Sprintf("%s %s with %.40q", route.Method, route.Pattern, value), status, body)
				}
				if route.Method == http.MethodGet {
					for _, name := range queries[route.Pattern] {
						status, body, _ := v.get(good(route.Pattern) + "?" + url.Values{name: {value, value}}.Encode())
						check(fmt.Sprintf("GET %s?%s=%.40q", route.Pattern, name, value), status, body)
					}
					continue
				}
				for _, name := range fields {
					filled := url.Values{}
					for _, other := range fields {
						filled.Set(other, "1")
					}
					filled[name] = []string{value, value}
					status, body, _ := v.post(good(route.Pattern), filled)
					check(fmt.Sprintf("POST %s %s=%.40q", route.Pattern, name, value), status, body)
				}
			}
			return nil
		})
	}
	require.NoError(t, asking.Wait())
	for _, value := range bad {
		status, body, _ := p.visitor(t).post("/staff/sign-in",
			url.Values{"email": {value}, "password": {value}, "next": {value}})
		check("sign-in", status, body)
	}
	t.Logf("%d requests", sent.Load())
	p.sound(t)
}

func TestAnonymousStaffPagesAreRefused(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	for _, origin := range []string{"https://evil.example", "null"} {
		r, err := http.NewRequest(http.MethodPost, p.url+"/cart", strings.NewReader("variant=1&quantity=1"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		status, _, _ := v.send(r)
		require.Equal(t, http.StatusForbidden, status, origin)
	}
}

func TestReadsWriteNothing(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	before := p.state(t)
	for _, path := range []string{"/", "/d/kitchen", "/search?q=mug", "/p/mug", "/stores", "/cart", "/checkout",
		"/staff/sign-in", "/counter", "/admin"} {
		v.get(path)
	}
	require.Equal(t, before, p.state(t))
}

func TestHealth(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 404, "/robots.txt": 200,
		"/.well-known/security.txt": 200, "/.well-known/change-password": 302, "/favicon.ico": 302} {
		status, _, _ := v.get(path)
		require.Equal(t, want, status, path)
	}
	p.site.Draining.Store(true)
	status, _, _ := v.get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	_, body, _ := v.get("/")
	require.NotContains(t, body, "style=", "the policy forbids inline styles")
}

// TestANewShopIsSetUpOnce goes from an empty database to the first sign-in and the first page.
func TestANewShopIsSetUpOnce(t *testing.T) {
	pool, address := pgtest.Database(t)
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	listening, stop := context.WithCancel(ctx)
	t.Cleanup(stop)
	site := web.Site{DB: pgtest.Server(t, address), Files: store, Live: live.Listen(listening, address),
		BaseURL: "http://localhost", SetupToken: "the-one-time-link"}
	server := httptest.NewServer(site.Handler())
	t.Cleanup(server.Close)
	p := &place{url: server.URL, db: pool, site: site}
	v := p.visitor(t)

	status, body, _ := v.get("/")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "isn’t open yet")
	status, _, _ = v.get("/setup?token=another")
	require.Equal(t, http.StatusNotFound, status)
	status, body, _ = v.get("/setup?token=the-one-time-link")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Set up your shop")

	form := url.Values{"token": {"the-one-time-link"}, "shop": {"Fold & Co"}, "language": {"en", "lv"},
		"store": {"Harbour"}, "town": {"Rīga"}, "country": {"LV"}, "name": {"Ilze"}, "email": {"ilze@example.com"},
		"password":   {"short"},
		"legal_name": {"Fold & Co SIA"}, "seller_address": {"Brīvības iela 1\nRīga"}}
	status, body, _ = v.post("/setup", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "at least 15 characters")
	require.Contains(t, body, "Fold &amp; Co", "what was typed is kept")
	form.Set("password", sample.Password)
	status, _, location := v.post("/setup", form)
	require.Equal(t, []any{http.StatusSeeOther, "/staff/sign-in?next=/admin"}, []any{status, location})

	status, _, _ = v.post("/setup", form)
	require.Equal(t, http.StatusNotFound, status, "the link works once")
	v.signIn("ilze@example.com")
	_, _, location = v.get("/admin")
	require.Equal(t, "/staff/second?next=%2Fadmin", location, "nobody works here on a password alone")
	status, body, _ = v.post("/staff/second/begin", nil)
	require.Equal(t, http.StatusOK, status)
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(regexp.MustCompile(`class="secret">([A-Z2-7]+)<`).FindStringSubmatch(body)[1])
	require.NoError(t, err)
	challenge := regexp.MustCompile(`name="challenge" value="(\w+)"`).FindStringSubmatch(body)[1]
	status, _, _ = v.post("/staff/second/code", url.Values{"challenge": {challenge}, "code": {"000000"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, _ = v.post("/staff/second/code", url.Values{"challenge": {challenge},
		"code": {staff.TOTPCode(key, time.Now())}})
	require.Equal(t, http.StatusSeeOther, status)
	for _, path := range []string{"/", "/stores", "/cart", "/admin/products", "/admin/stock", "/counter",
		"/search?q=mug"} {
		status, _, _ := v.get(path)
		require.Equal(t, http.StatusOK, status, path)
	}
	var currency string
	require.NoError(t, pool.QueryRow(ctx, `SELECT currency || ' ' || tax_included FROM location`).Scan(&currency))
	require.Equal(t, "EUR true", currency)
	p.sound(t)
}

// What is typed and not added is added before the order is made; what does not work is said, and nothing is ordered.
func TestATypedCodeIsNotForgotten(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	form := v.fill(p, p.Mug)
	form.Set("gift_card", "AAAA-AAAA-AAAA-AAAA")
	status, body, _ := v.post("/checkout", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "AAAA-AAAA-AAAA-AAAA", "it is kept")
	form.Del("gift_card")
	form.Set("code", "NOSUCHCODE")
	status, _, _ = v.post("/checkout", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	var orders int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*) FROM orders`).Scan(&orders))
	require.Zero(t, orders)
	form.Del("code")
	status, _, _ = v.post("/checkout", form)
	require.Equal(t, http.StatusSeeOther, status)
}

func TestOversizedBodiesAreRefused(t *testing.T) {
	p := open(t)
	status, _, _ := p.visitor(t).post("/webhooks/sandbox", url.Values{"x": {strings.Repeat("x", 1<<19)}})
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
}

func TestAJournalOfNoPeriodIsRefused(t *testing.T) {
	p := open(t)
	boss := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &boss,
			sample.Password)
	}))
	admin := p.visitor(t)
	admin.signIn(boss.Email)
	for _, query := range []string{"?from=abc", "?from=2026-02-30", "?from=2026-03-02&to=2026-03-01"} {
		status, _, _ := admin.get("/admin/journal.csv" + query)
		require.Equal(t, http.StatusUnprocessableEntity, status, query)
	}
}

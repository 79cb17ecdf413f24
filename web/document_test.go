package web_test

import (
	"bytes"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/proof/sample"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/billing"
)

// What was sold has a receipt and an invoice, to read and as a PDF; the square on the receipt finds the order at any
// counter. Whatever letters somebody is called by, there is a paper.
func TestDocumentsOfAnOrder(t *testing.T) {
	p := open(t)
	for _, name := range []string{"Ada", "Žofie Šťastná-Ķemere", "Ольга 🦊",
		strings.Repeat("Wolfeschlegelsteinhausen", 4), "王小明"} {
		bea, v := p.visitor(t), p.visitor(t)
		bea.signIn(p.Bea.Email)
		form := v.fill(p, p.BlueMug)
		form.Set("name", name)
		_, _, to := v.post("/checkout", form)
		link := strings.TrimPrefix(to, "/orders/")
		status, _, _ := v.get(to + "/receipt")
		require.Equal(t, http.StatusNotFound, status, "nothing is paid")
		var order, part int64
		var code string
		require.NoError(t, p.db.QueryRow(ctx,
			`SELECT o.id, f.id, f.code FROM orders o JOIN fulfilment f ON f.order_id = o.id WHERE o.public_id = $1`,
			link).Scan(&order, &part, &code))
		bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
		bea.post(fmt.Sprintf("/counter/pickups/%d/handover", part),
			url.Values{"code": {code}, "kind": {"cash"}, "given": {"20"}})
		require.NoError(t, billing.IssueDocuments(ctx, p.db, order))
		var invoice int64
		require.NoError(t, p.db.QueryRow(ctx, `SELECT number FROM document WHERE order_id = $1`, order).Scan(&invoice))

		status, body, _ := v.get(to + "/receipt")
		require.Equal(t, http.StatusOK, status)
		for _, want := range []string{"Stoneware mug", "£12.50", "Cash given", "£7.50"} {
			require.Contains(t, body, want)
		}
		for _, paper := range []string{"/receipt.pdf", fmt.Sprintf("/documents/invoice/%d.pdf", invoice)} {
			status, body, _ := v.get(to + paper)
			require.Equal(t, http.StatusOK, status, paper)
			require.True(t, bytes.HasPrefix([]byte(body), []byte("%PDF-")) && strings.Contains(body, "%%EOF"), paper)
			if dir := os.Getenv("PAPERS"); dir != "" {
				require.NoError(t, os.WriteFile(fmt.Sprintf("%s/%d%s", dir, order, strings.ReplaceAll(paper, "/", "-")),
					[]byte(body), 0o644))
			}
		}
		// Under the shop's logo, a wide one or a high one, and in letters again where its file is lost.
		for _, size := range [][2]int{{960, 96}, {40, 400}} {
			var picture bytes.Buffer
			require.NoError(t, png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, size[0], size[1]))))
			key, err := gallery.AcceptLogo(ctx, p.site.Files, "logo.png", picture.Bytes())
			require.NoError(t, err)
			require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error { return location.SetLogo(ctx, tx, key) }))
			_, body, _ = v.get(to + "/receipt")
			require.Contains(t, body, "/brand/"+key)
			_, with, _ := v.get(to + "/receipt.pdf")
			require.Contains(t, with, "/Subtype /Image")
			require.NoError(t, p.site.Files.Remove(key))
			status, without, _ := v.get(to + "/receipt.pdf")
			require.Equal(t, http.StatusOK, status)
			require.Less(t, strings.Count(without, "/Subtype /Image"), strings.Count(with, "/Subtype /Image"))
		}
		status, _, found := bea.post("/counter/search", url.Values{"q": {"RECEIPT:" + link}})
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, fmt.Sprintf("/counter/orders/%d", order), found)
	}
	status, _, _ := p.visitor(t).get("/orders/AAAAAAAAAAAAAAAAAAAAAAAAAA/receipt.pdf")
	require.Equal(t, http.StatusNotFound, status)
}

// TestDocumentsNameTheSeller enters who sells in the settings, differently for one store, and finds it on documents as
// it was when they were issued.
func TestDocumentsNameTheSeller(t *testing.T) {
	p := open(t)
	boss := p.visitor(t)
	a := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &a,
			sample.Password)
	}))
	boss.signIn(a.Email)
	seller := func(location int64, name, vat string) int {
		status, _, _ := boss.post("/admin/settings/seller", url.Values{"location": {fmt.Sprint(location)},
			"legal_name": {name}, "seller_address": {"1 Quay\nLeeds LS1 4DT"}, "company_number": {"01234567"},
			"vat_number": {vat}})
		return status
	}
	require.Equal(t, http.StatusUnprocessableEntity, seller(0, "Fold & Co Limited", "no number"))
	require.Equal(t, http.StatusUnprocessableEntity, seller(0, "", "GB 123 4567 89"))
	require.Equal(t, http.StatusSeeOther, seller(0, "Fold & Co Limited", "gb 123 4567 89"))
	invoice := func() (link, body string) {
		bea, v := p.visitor(t), p.visitor(t)
		bea.signIn(p.Bea.Email)
		_, _, to := v.post("/checkout", v.fill(p, p.BlueMug))
		var order, part, number int64
		var code string
		require.NoError(t, p.db.QueryRow(ctx,
			`SELECT o.id, f.id, f.code FROM orders o JOIN fulfilment f ON f.order_id = o.id WHERE o.public_id = $1`,
			strings.TrimPrefix(to, "/orders/")).Scan(&order, &part, &code))
		bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
		bea.post(fmt.Sprintf("/counter/pickups/%d/handover", part), url.Values{"code": {code}, "kind": {"terminal"}})
		require.NoError(t, billing.IssueDocuments(ctx, p.db, order))
		require.NoError(t, p.db.QueryRow(ctx, `SELECT number FROM document WHERE order_id = $1`, order).Scan(&number))
		_, receipt, _ := v.get(to + "/receipt")
		require.Contains(t, receipt, "Return by")
		link = fmt.Sprintf("%s/documents/invoice/%d", to, number)
		_, body, _ = v.get(link)
		return link, body
	}
	first, body := invoice()
	for _, want := range []string{"Fold &amp; Co Limited", "GB123456789", "01234567", "1 Quay"} {
		require.Contains(t, body, want)
	}
	require.Equal(t, http.StatusSeeOther, seller(p.HarbourStreet.ID, "Harbour Mugs Limited", "GB987654321"))
	_, body = invoice()
	require.Contains(t, body, "Harbour Mugs Limited")
	require.NotContains(t, body, "GB123456789")
	_, body, _ = p.visitor(t).get(first)
	require.Contains(t, body, "Fold &amp; Co Limited", "what was issued is frozen")
	require.NotContains(t, body, "Harbour Mugs")
}

// TestAStockKeeperHasTheStockroom opens what is picked and packed, and nothing where customers are served.
func TestAStockKeeperHasTheStockroom(t *testing.T) {
	p := open(t)
	keeper := p.visitor(t)
	a := staff.Associate{Name: "Max", Email: "max@example.com", Role: staff.RoleStock,
		Locations: []int64{p.HarbourStreet.ID}}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &a,
			sample.Password)
	}))
	keeper.signIn(a.Email)
	shopper := p.visitor(t)
	_, _, to := shopper.post("/checkout", shopper.fill(p, p.Mug))
	var part, customer int64
	require.NoError(t, p.db.QueryRow(ctx,
		`SELECT f.id, o.customer_id FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = $1`,
		strings.TrimPrefix(to, "/orders/")).Scan(&part, &customer))
	status, body, _ := keeper.get("/counter")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "New sale")
	status, _, _ = keeper.get(fmt.Sprintf("/counter/customers/%d", customer))
	require.Equal(t, http.StatusForbidden, status)
	for _, path := range []string{"/counter/search", "/counter/sales",
		fmt.Sprintf("/counter/pickups/%d/handover", part)} {
		status, _, _ := keeper.post(path, url.Values{"q": {"Ada"}})
		require.Equal(t, http.StatusForbidden, status, path)
	}
	status, _, _ = keeper.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"free": {"A1"}})
	require.Equal(t, http.StatusSeeOther, status)
	var state string
	require.NoError(t, p.db.QueryRow(ctx, `SELECT state || ' ' || place FROM fulfilment WHERE id = $1`,
		part).Scan(&state))
	require.Equal(t, "ready A1", state)
	p.sound(t)
}

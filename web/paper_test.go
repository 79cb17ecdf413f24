package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/billing"
)

// What was sold has a receipt and an invoice, to read and as a PDF; the square on the receipt finds the order at any counter. Whatever letters somebody is called by, there is a paper.
func TestPapersOfAnOrder(t *testing.T) {
	p := open(t)
	for _, name := range []string{"Ada", "Žofie Šťastná-Ķemere", "Ольга 🦊", strings.Repeat("Wolfeschlegelsteinhausen", 4), "王小明"} {
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
		require.NoError(t, p.db.QueryRow(ctx, `SELECT o.id, f.id, f.code FROM orders o JOIN fulfilment f ON f.order_id = o.id WHERE o.public_id = $1`, link).Scan(&order, &part, &code))
		bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
		bea.post(fmt.Sprintf("/counter/pickups/%d/handover", part), url.Values{"code": {code}, "kind": {"cash"}, "given": {"20"}})
		require.NoError(t, billing.Square(ctx, p.db, order))
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
				require.NoError(t, os.WriteFile(fmt.Sprintf("%s/%d%s", dir, order, strings.ReplaceAll(paper, "/", "-")), []byte(body), 0o644))
			}
		}
		status, _, found := bea.post("/counter/search", url.Values{"q": {"RECEIPT:" + link}})
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, fmt.Sprintf("/counter/orders/%d", order), found)
	}
	status, _, _ := p.visitor(t).get("/orders/AAAAAAAAAAAAAAAAAAAAAAAAAA/receipt.pdf")
	require.Equal(t, http.StatusNotFound, status)
}

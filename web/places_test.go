package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/location"
)

func TestAStoreIsOpenedKeptAndClosedDown(t *testing.T) {
	p := open(t)
	boss, shopper := p.boss(t, "ida@example.com"), p.visitor(t)
	_, body, _ := boss.get("/admin/places/new")
	form := formOf(t, body, "/admin/places")
	form.Set("name", "York")
	form.Set("code", "yrk")
	form.Set("town", "York")
	form.Set("country", "GB")
	form.Set("currency", "GBP")
	form.Set("tax_included", "1")
	form.Set("postcode", "YO1 7HH")
	form.Set("day6", "9-13, 14:30 to 17.00")
	form.Set("day7", "later")
	status, body, _ := boss.post("/admin/places", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Enter hours such as")
	require.Contains(t, body, `value="later"`)

	form.Set("day7", "closed")
	status, body, address := boss.post("/admin/places", form)
	require.Equal(t, http.StatusSeeOther, status, fieldErrors(body))
	path, _, _ := strings.Cut(address, "?")
	_, body, _ = boss.get(path)
	require.Contains(t, body, `value="09:00–13:00, 14:30–17:00"`)
	require.Contains(t, body, `value="53.9`, "the postcode's own latitude")
	status, body, _ = shopper.get("/stores/york")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "York")

	// Bank holidays, as the government publishes them.
	next := time.Now().AddDate(0, 0, 20)
	calendar := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:" + next.Format("20060102") + "\r\nDTEND;VALUE=DATE:" +
		next.AddDate(0, 0, 2).Format("20060102") + "\r\nSUMMARY:Winter\r\n  holiday\\, observed\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20190101\r\nSUMMARY:Over\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	status, _, _ = boss.upload(path+"/calendar", "calendar", map[string][]byte{"uk.ics": []byte(calendar)}, nil)
	require.Equal(t, http.StatusSeeOther, status)
	_, body, _ = boss.get(path)
	require.Equal(t, 2, strings.Count(body, "<td>Winter holiday, observed</td>"))
	status, body, _ = boss.upload(path+"/calendar", "calendar", map[string][]byte{"uk.ics": []byte("hello")}, nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "isn’t a calendar file")
	status, _, _ = boss.upload(path+"/calendar", "calendar", map[string][]byte{"d.csv": []byte(
		"date,name,opens,closes\n" + next.AddDate(0, 1, 0).Format(time.DateOnly) + ",Stocktake,10:00,12:00\n")}, nil)
	require.Equal(t, http.StatusSeeOther, status)
	_, body, _ = boss.get(path)
	require.Contains(t, body, "<td>10:00–12:00</td>")

	// Whoever comes second is shown both, and loses nothing.
	joe := p.boss(t, "joe@example.com")
	_, body, _ = boss.get(path)
	idas, joes := formOf(t, body, path), formOf(t, body, path)
	idas.Set("phone", "01904 1")
	joes.Set("phone", "01904 2")
	joes.Set("street", "Stonegate")
	status, _, _ = boss.post(path, idas)
	require.Equal(t, http.StatusSeeOther, status)
	status, body, _ = joe.post(path, joes)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Someone else saved: 01904 1")
	require.Contains(t, body, `value="Stonegate"`)

	// Closed down: not in the shop, and its papers stay.
	status, _, _ = boss.post(path+"/close", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, _ = boss.post(path+"/close", url.Values{"sure": {"1"}})
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = shopper.get("/stores/york")
	require.Equal(t, http.StatusNotFound, status)
	p.sound(t)
}

func TestAStoreWithWaitingOrdersAndTheLastOneStayOpen(t *testing.T) {
	p := open(t)
	boss, shopper := p.boss(t, "ida@example.com"), p.visitor(t)
	_, _, order := shopper.post("/checkout", shopper.fill(p, p.Mug))
	path := fmt.Sprintf("/admin/places/%d", p.HarbourStreet.ID)
	status, body, _ := boss.post(path+"/close", url.Values{"sure": {"1"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "orders still wait here")
	_, body, _ = boss.get(path)
	form := formOf(t, body, path)
	form.Set("currency", "EUR")
	status, body, _ = boss.post(path, form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "its currency and kind of tax stay")
	status, _, _ = shopper.post(order+"/cancel", nil)
	require.Equal(t, http.StatusSeeOther, status)

	// Everybody closes every store at once: one is left.
	all, err := location.All(ctx, p.db)
	require.NoError(t, err)
	var closing sync.WaitGroup
	for _, l := range all {
		closing.Go(func() {
			status, body, _ := boss.post(fmt.Sprintf("/admin/places/%d/close", l.ID), url.Values{"sure": {"1"}})
			assert.Less(t, status, 500, body)
		})
	}
	closing.Wait()
	var left int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*) FROM location WHERE kind = 'store' AND closed_at IS NULL`).
		Scan(&left))
	require.Equal(t, 1, left)
}

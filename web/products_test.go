package web_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/staff"
	"counterpart/internal/proof/sample"
)

// boss is an admin of the office.
func (p *place) boss(t testing.TB, email string) *visitor {
	t.Helper()
	a := staff.Associate{Name: "Ida", Email: email, Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &a, sample.Password)
	}))
	v := p.visitor(t)
	v.signIn(email)
	return v
}

// formOf reads the fields of the form with an action on a page, as a browser would send them.
func formOf(t testing.TB, body, action string) url.Values {
	t.Helper()
	i := strings.Index(body, `action="`+action+`"`)
	require.GreaterOrEqual(t, i, 0, "no form %s", action)
	part := body[i:]
	part = part[:strings.Index(part, "</form>")]
	values := url.Values{}
	for _, m := range regexp.MustCompile(`(?s)<input([^>]*)>|<textarea([^>]*)>(.*?)</textarea>|<select([^>]*)>(.*?)</select>`).FindAllStringSubmatch(part, -1) {
		attribute := func(tag, name string) string {
			if a := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(tag); a != nil {
				return unescape(a[1])
			}
			return ""
		}
		switch {
		case m[1] != "":
			kind := attribute(m[1], "type")
			if (kind == "checkbox" || kind == "radio") && !strings.Contains(m[1], " checked") || kind == "file" {
				continue
			}
			if name := attribute(m[1], "name"); name != "" {
				values.Add(name, attribute(m[1], "value"))
			}
		case m[2] != "":
			values.Add(attribute(m[2], "name"), unescape(m[3]))
		case m[4] != "":
			chosen := regexp.MustCompile(`<option value="([^"]*)"[^>]*selected`).FindStringSubmatch(m[5])
			if chosen == nil {
				chosen = regexp.MustCompile(`<option value="([^"]*)"`).FindStringSubmatch(m[5])
			}
			if chosen != nil {
				values.Add(attribute(m[4], "name"), unescape(chosen[1]))
			}
		}
	}
	return values
}

// fieldErrors are the sentences beside a page's fields.
func fieldErrors(body string) (all []string) {
	for _, m := range regexp.MustCompile(`(?s)class="field-error"[^>]*>.*?</svg>(.*?)</p>`).FindAllStringSubmatch(body, -1) {
		all = append(all, strings.TrimSpace(m[1]))
	}
	return all
}

func unescape(s string) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// upload posts files with the fields beside them.
func (v *visitor) upload(path, field string, files map[string][]byte, fields url.Values) (int, string, string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		require.NoError(v.t, form.WriteField(name, values[0]))
	}
	for name, content := range files {
		part, err := form.CreateFormFile(field, name)
		require.NoError(v.t, err)
		_, err = part.Write(content)
		require.NoError(v.t, err)
	}
	require.NoError(v.t, form.Close())
	r, err := http.NewRequest(http.MethodPost, v.base+path, &body)
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return v.send(r)
}

// photograph is a JPEG of a colour.
func photograph(t testing.TB, c color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 600, 400))
	for y := range 400 {
		for x := range 600 {
			picture.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, picture, nil))
	return out.Bytes()
}

// drawn has the pictures drawn that a job would.
func (p *place) drawn(t testing.TB) {
	t.Helper()
	rows, err := p.db.Query(ctx, `SELECT id FROM picture WHERE key IS NULL AND failed IS NULL`)
	require.NoError(t, err)
	var ids []int64
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	for _, id := range ids {
		require.NoError(t, gallery.Render(ctx, p.db, p.site.Files, id))
	}
}

func TestAProductIsMadeInTheAdminAndSold(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	shopper := p.visitor(t)

	status, body, _ := boss.post("/admin/products", url.Values{"title": {""}, "class": {"luxury"}, "option1": {"Size"},
		"values1": {"S, s"}, "price_1": {"nothing"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, sentence := range []string{"Enter a title", "Choose from the list", "is there twice", "Enter a price above zero"} {
		require.Contains(t, body, sentence)
	}
	require.Contains(t, body, `value="nothing"`, "what was typed stays")

	_, _, address := boss.post("/admin/products", url.Values{"title": {"Fern bowl"}, "class": {"standard"},
		"option1": {"Size"}, "values1": {"Small, Medium, Large"}, "option2": {"Glaze"}, "values2": {"Moss\nChalk, Sand"},
		"price_1": {"24.50"}, "description": {"Thrown in **Leeds**.\n\n- food safe\n- <script>alert(1)</script>"}})
	require.Regexp(t, `^/admin/products/\d+\?done=created$`, address)
	path, _, _ := strings.Cut(address, "?")
	_, body, _ = boss.get(path)
	require.Equal(t, 9, strings.Count(body, `aria-label="SKU of `))
	status, _, _ = shopper.get("/p/fern-bowl")
	require.Equal(t, http.StatusNotFound, status, "a draft is not in the shop")

	status, _, _ = boss.upload(path+"/pictures", "pictures", map[string][]byte{
		"front.jpg": photograph(t, color.RGBA{120, 140, 90, 255}), "back.jpg": photograph(t, color.RGBA{200, 190, 170, 255})}, nil)
	require.Equal(t, http.StatusSeeOther, status)
	p.drawn(t)

	_, body, _ = boss.get(path)
	details := formOf(t, body, path)
	details.Set("status", "active")
	details.Set("tags", "handmade, spring")
	details.Set("seo_description", "A bowl for every day.")
	status, body, _ = boss.post(path, details)
	require.Equal(t, http.StatusSeeOther, status, body)

	status, body, _ = shopper.get("/p/fern-bowl")
	require.Equal(t, http.StatusOK, status)
	for _, shown := range []string{"Fern bowl", "£24.50", "<strong>Leeds</strong>", "<li>food safe</li>", "Medium",
		`<meta name="description" content="A bowl for every day.">`} {
		require.Contains(t, body, shown)
	}
	require.NotContains(t, body, "<script>alert")

	// One variant has its own price, barcode and picture.
	_, body, _ = boss.get(path)
	grid := formOf(t, body, path+"/variants")
	ids := regexp.MustCompile(`name="sku\.(\d+)"`).FindAllStringSubmatch(body, -1)
	first, last := ids[0][1], ids[8][1]
	grid.Set("price."+first+".1", "19")
	grid.Set("code."+first, "5012345678900")
	grid.Set("cost."+first, "8.20")
	grid.Set("content."+first, "0.5")
	grid.Set("unit."+first, "l")
	grid.Del("on." + last)
	status, body, _ = boss.post(path+"/variants", grid)
	require.Equal(t, http.StatusSeeOther, status, body)
	_, body, _ = shopper.get("/p/fern-bowl?v=" + grid.Get("sku."+first))
	for _, shown := range []string{"£19.00", "5012345678900", "£38.00 per litre"} {
		require.Contains(t, body, shown)
	}
	wrong := formOf(t, func() string { _, b, _ := boss.get(path); return b }(), path+"/variants")
	wrong.Set("sku."+first, "MUG-W")
	wrong.Set("price."+first+".1", "-3")
	wrong.Set("code."+ids[1][1], "5012345678901")
	status, body, _ = boss.post(path+"/variants", wrong)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "wrong digit")
	require.Contains(t, body, `value="-3"`)
	p.sound(t)

	// It moves, and whoever knew where it was finds it.
	_, body, _ = boss.get(path)
	details = formOf(t, body, path)
	details.Set("slug", "Fern Bowl, large")
	status, _, _ = boss.post(path, details)
	require.Equal(t, http.StatusSeeOther, status)
	status, _, location := shopper.get("/p/fern-bowl?v=X")
	require.Equal(t, http.StatusMovedPermanently, status)
	require.Equal(t, "/p/fern-bowl-large?v=X", location)

	_, _, copied := boss.post(path+"/duplicate", nil)
	_, body, _ = boss.get(copied)
	require.Contains(t, body, "Copy of Fern bowl")
	require.Equal(t, 8, strings.Count(body, `aria-label="SKU of `), "what is off sale is not copied")

	_, body, _ = boss.get(path)
	details = formOf(t, body, path)
	details.Set("status", "archived")
	boss.post(path, details)
	status, _, _ = shopper.get("/p/fern-bowl-large")
	require.Equal(t, http.StatusNotFound, status)
	p.sound(t)
}

func TestADraftGoesOnSaleWhenItsTimeComes(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	_, _, address := boss.post("/admin/products", url.Values{"title": {"Spring vase"}, "class": {"standard"},
		"price_1": {"18"}})
	path, _, _ := strings.Cut(address, "?")
	_, body, _ := boss.get(path)
	details := formOf(t, body, path)
	details.Set("publish_at", time.Now().Add(-time.Hour).Format("2006-01-02T15:04"))
	status, _, _ := boss.post(path, details)
	require.Equal(t, http.StatusSeeOther, status)
	require.NoError(t, catalog.Publish(ctx, p.db))
	status, _, _ = p.visitor(t).get("/p/spring-vase")
	require.Equal(t, http.StatusOK, status)
}

// Two people in one product: what only one of them changed is kept, what both changed is shown to the second with both
// values.
func TestTwoAdminsEditOneProduct(t *testing.T) {
	p := open(t)
	ida, joe := p.boss(t, "ida@example.com"), p.boss(t, "joe@example.com")
	var id int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, p.Mug).Scan(&id))
	path := fmt.Sprintf("/admin/products/%d", id)
	_, body, _ := ida.get(path)
	idas, joes := formOf(t, body, path), formOf(t, body, path)
	idas.Set("title", "Morning mug")
	idas.Set("brand", "Fern")
	joes.Set("title", "Evening mug")
	joes.Set("tags", "gift")

	status, _, _ := ida.post(path, idas)
	require.Equal(t, http.StatusSeeOther, status)
	status, body, _ = joe.post(path, joes)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Someone else saved: Morning mug")
	require.Contains(t, body, `value="Evening mug"`, "what they typed stays")
	require.Contains(t, body, `value="gift"`)
	require.Contains(t, body, `value="Fern"`, "what they did not touch is as it is now")

	again := formOf(t, body, path)
	status, _, _ = joe.post(path, again)
	require.Equal(t, http.StatusSeeOther, status, "who has seen both may")
	var title, brand string
	var tags []string
	require.NoError(t, p.db.QueryRow(ctx, `SELECT t.title, p.brand, p.tags FROM product p JOIN product_text t
		ON t.product_id = p.id AND t.language = 'en' WHERE p.id = $1`, id).Scan(&title, &brand, &tags))
	require.Equal(t, []any{"Evening mug", "Fern", []string{"gift"}}, []any{title, brand, tags})

	// Prices: many at once, each change in the history, one after the other.
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			who := []*visitor{ida, joe}[i%2]
			form := url.Values{}
			form.Set(fmt.Sprintf("price.%d.1", p.Mug), fmt.Sprintf("%d.00", 20+i))
			form.Set(fmt.Sprintf("was.grams.%d", p.Mug), "0")
			if i%3 == 0 {
				status, body, _ := who.post(path+"/options", url.Values{"option1": {"Colour"}, "values1": {"White, Blue"}})
				assert.Less(t, status, 500, body)
			}
			status, body, _ := who.post(path+"/variants", form)
			assert.Less(t, status, 500, body)
		})
	}
	all.Wait()
	p.sound(t)
}

// hugePNG is a small file that says it has a hundred megapixels.
func hugePNG() []byte {
	header := make([]byte, 13)
	binary.BigEndian.PutUint32(header, 10_000)
	binary.BigEndian.PutUint32(header[4:], 10_000)
	header[8], header[9] = 8, 2
	chunk := append([]byte("IHDR"), header...)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

// blankPNG is a picture in which nothing is to be seen.
func blankPNG(width, height int) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewAlpha(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func TestUploadsThatAreNoPicturesAreRefusedInWords(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	var id int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, p.Mug).Scan(&id))
	path := fmt.Sprintf("/admin/products/%d", id)
	good := photograph(t, color.White)
	for name, file := range map[string]struct {
		content []byte
		says    string
	}{
		"empty.jpg":   {nil, "is empty"},
		"vector.svg":  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "isn’t a JPEG"},
		"page.jpg":    {[]byte("<!DOCTYPE html><script>alert(1)</script>"), "isn’t a JPEG"},
		"gifar.gif":   {append([]byte("GIF89a\x0a\x00\x0a\x00\x00\x00\x00"), []byte("/*=1;alert(1)")...), "damaged"},
		"huge.png":    {hugePNG(), "more than 50 megapixels"},
		"tall.png":    {blankPNG(20, 70_000), "more than ten times as long as wide"},
		"cut.jpg":     {good[:len(good)/3], "damaged"},
		"big.jpg":     {make([]byte, 21<<20), "larger than 20 MB"},
		"fifty.jpg":   {make([]byte, 50<<20), "larger than 20 MB"},
		"../../x.exe": {[]byte("MZ\x90\x00"), "isn’t a JPEG"},
	} {
		status, body, _ := boss.upload(path+"/pictures", "pictures", map[string][]byte{name: file.content}, nil)
		assert.Equal(t, http.StatusUnprocessableEntity, status, name)
		assert.Contains(t, body, file.says, name)
	}
	status, body, _ := boss.post(path+"/pictures", url.Values{"pictures": {"x"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Choose a file first")
	status, _, _ = boss.upload(path+"/files", "file", map[string][]byte{"x.pdf": good}, nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	var pictures int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*) FROM picture WHERE product_id = $1`, id).Scan(&pictures))
	require.Zero(t, pictures)

	// A picture that is also a page is drawn anew: nothing of the page is ever sent.
	polyglot := append(slices.Clone(good), []byte("<html><script>alert(1)</script></html>")...)
	status, _, _ = boss.upload(path+"/pictures", "pictures", map[string][]byte{"poly.jpg": polyglot}, nil)
	require.Equal(t, http.StatusSeeOther, status)
	p.drawn(t)
	var key string
	require.NoError(t, p.db.QueryRow(ctx, `SELECT key FROM picture WHERE product_id = $1`, id).Scan(&key))
	status, body, _ = boss.get("/pictures/" + key + "-1080.jpg")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "<script>")
	status, _, _ = boss.get("/pictures/original-" + key)
	require.Equal(t, http.StatusNotFound, status)
}

func TestAPictureIsCroppedTurnedAndPutInOrder(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	var id int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, p.Mug).Scan(&id))
	path := fmt.Sprintf("/admin/products/%d", id)
	halves := image.NewRGBA(image.Rect(0, 0, 800, 400))
	for y := range 400 {
		for x := range 800 {
			halves.Set(x, y, map[bool]color.RGBA{true: {250, 0, 0, 255}, false: {0, 0, 250, 255}}[x < 400])
		}
	}
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, halves))
	boss.upload(path+"/pictures", "pictures", map[string][]byte{"halves.png": file.Bytes()}, nil)
	boss.upload(path+"/pictures", "pictures", map[string][]byte{"white.jpg": photograph(t, color.White)}, nil)
	p.drawn(t)
	var ids []int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT array_agg(id ORDER BY position) FROM picture WHERE product_id = $1`,
		id).Scan(&ids))
	status, _, _ := boss.post(fmt.Sprintf("%s/pictures/%d", path, ids[0]), url.Values{"alt": {"Two halves"},
		"crop_left": {"600"}, "crop_top": {"0"}, "crop_width": {"300"}})
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = boss.post(path+"/pictures/order", url.Values{"order": {fmt.Sprintf("%d,%d", ids[1], ids[0])}})
	require.Equal(t, http.StatusSeeOther, status)
	p.drawn(t)
	var key string
	var position int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT key, position FROM picture WHERE id = $1`, ids[0]).Scan(&key, &position))
	require.Equal(t, 2, position)
	drawn, err := p.site.Files.Open(key + "-160.jpg")
	require.NoError(t, err)
	defer drawn.Close()
	body, err := io.ReadAll(drawn)
	require.NoError(t, err)
	shown, err := jpeg.Decode(bytes.NewReader(body))
	require.NoError(t, err)
	require.Equal(t, 160*5/4, shown.Bounds().Dy(), "4:5")
	red, _, blue, _ := shown.At(5, 5).RGBA()
	require.Greater(t, blue, red, "the right half")
	status, _, _ = boss.post(fmt.Sprintf("%s/pictures/%d/remove", path, ids[0]), nil)
	require.Equal(t, http.StatusSeeOther, status)
}

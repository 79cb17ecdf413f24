package intake_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"counterpart/internal/audit"
	"counterpart/internal/files"
	"counterpart/internal/gallery"
	"counterpart/internal/intake"
	"counterpart/internal/pg"
	"counterpart/internal/pg/pgtest"
	"counterpart/internal/sample"
)

var ctx = context.Background()

const oldHead = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Alt Text,Variant Image,Status\n"
const newHead = "Title,URL handle,Description,Vendor,Product category,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,Inventory quantity,Weight value (grams),Product image URL,Image alt text,Variant image URL\n"

// A bench is a chain, a store of files and a folder of pictures to import beside.
type bench struct {
	db    pg.DB
	chain *sample.Chain
	o     intake.Options
}

func newBench(t *testing.T) *bench {
	t.Helper()
	tx := pgtest.Tx(t)
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	folder := t.TempDir()
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 10))))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "images"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "images", "jug.png"), picture.Bytes(), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "images", "empty.png"), nil, 0o644))
	c := sample.Load(t, tx)
	return &bench{tx, c, intake.Options{Location: &c.HarbourStreet, Pictures: folder, Files: store}}
}

func (b *bench) take(t *testing.T, csv string) intake.Report {
	t.Helper()
	report, err := intake.Products(ctx, b.db, strings.NewReader(csv), b.o)
	require.NoError(t, err)
	return report
}

func (b *bench) one(t *testing.T, query string) (value string) {
	t.Helper()
	require.NoError(t, b.db.QueryRow(ctx, query).Scan(&value))
	return value
}

const jug = oldHead +
	"jug,Water jug,\"<p>Holds a litre.</p><ul><li>Stoneware</li><li>Blue &amp; white</li></ul><script>alert(1)</script>\",Tidewell,Kitchen > Jugs,,\"blue, new, blue\",TRUE,Colour,White,Size,Large,JUG-W,900,4,18.50,22.00,4006381333931,images/jug.png,A jug,images/jug.png,active\n" +
	"jug,,,,,,,,,Blue,,Large,JUG-B,900,-3,18.50,,,,,,\n" +
	"jug,,,,,,,,,,,,,,,,,,images/other.png,,,\n"

func TestOldHeadingsComeInWhole(t *testing.T) {
	b := newBench(t)
	_, err := b.db.Exec(ctx, `DELETE FROM barcode`)
	require.NoError(t, err)

	report := b.take(t, jug)

	require.Equal(t, 1, report.Created)
	require.Zero(t, report.Refused)
	require.Equal(t, 1, report.Pictures)
	require.Equal(t, "Holds a litre.\n\nStoneware\n\nBlue & white", b.one(t, `SELECT description FROM product_text t JOIN product p ON p.id = t.product_id WHERE slug = 'jug'`))
	require.Equal(t, "{blue,new} {Colour,Size}", b.one(t, `SELECT tags::text || ' ' || options::text FROM product WHERE slug = 'jug'`))
	require.Equal(t, "Kitchen Jugs", b.one(t, `SELECT string_agg(name, ' ' ORDER BY c.parent_id NULLS FIRST) FROM product_category pc JOIN category c ON c.id = pc.category_id JOIN category_text t ON t.category_id = c.id WHERE product_id = (SELECT id FROM product WHERE slug = 'jug')`))
	require.Equal(t, "1850 2200 04006381333931", b.one(t, `SELECT amount || ' ' || compare_at || ' ' || gtin FROM variant v JOIN price p ON p.variant_id = v.id JOIN barcode b ON b.variant_id = v.id WHERE sku = 'JUG-W'`))
	require.Equal(t, "4", b.one(t, `SELECT sum(on_hand)::text FROM variant v JOIN stock_level s ON s.variant_id = v.id WHERE sku LIKE 'JUG%'`))
	require.Len(t, report.Complaints, 1, "only the picture that is not there")
	require.False(t, report.Complaints[0].Whole)
	require.Equal(t, 4, report.Complaints[0].Row, "the line of the file on which the row stands")
	findings, err := audit.Run(ctx, b.db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestNewHeadingsComeInWhole(t *testing.T) {
	b := newBench(t)
	report := b.take(t, newHead+"Lamp,lamp,Warm.,Northlight,Home > Light,,TRUE,Active,LAMP,,Title,Default Title,49.00,,7,,images/jug.png,,\n")

	require.Equal(t, 1, report.Created)
	require.Equal(t, "{} {}", b.one(t, `SELECT v.options::text || ' ' || p.options::text FROM variant v JOIN product p ON p.id = v.product_id WHERE sku = 'LAMP'`))
}

func TestASecondImportChangesNothing(t *testing.T) {
	b := newBench(t)
	_, err := b.db.Exec(ctx, `DELETE FROM barcode`)
	require.NoError(t, err)
	b.take(t, jug)
	rows := func() string {
		return b.one(t, `SELECT concat((SELECT count(*) FROM stock_move), ' ', (SELECT count(*) FROM price), ' ', (SELECT count(*) FROM river_job), ' ', (SELECT count(*) FROM picture))`)
	}
	before := rows()

	report := b.take(t, jug)

	require.Equal(t, 1, report.Unchanged)
	require.Equal(t, before, rows())
}

func TestAChangedPriceKeepsItsHistoryAndBooksNoStock(t *testing.T) {
	b := newBench(t)
	b.take(t, newHead+"Lamp,lamp,,,,,TRUE,Active,LAMP,,,,49.00,,7,,,,\n")

	report := b.take(t, newHead+"Lamp,lamp,,,,,TRUE,Active,LAMP,,,,45.00,,9,,,,\n")

	require.Equal(t, 1, report.Updated)
	require.Equal(t, "2 7", b.one(t, `SELECT count(DISTINCT p.id) || ' ' || max(on_hand) FROM variant v JOIN price p ON p.variant_id = v.id JOIN stock_level s ON s.variant_id = v.id WHERE sku = 'LAMP'`))
}

func TestAnAbsentColumnKeepsWhatIsThere(t *testing.T) {
	b := newBench(t)
	b.take(t, newHead+"Lamp,lamp,Warm.,Northlight,,\"a, b\",TRUE,Active,LAMP,,,,49.00,,7,,,,\n")

	b.take(t, "Title,URL handle,SKU,Price\nLamp,lamp,LAMP,49.00\n")
	require.Equal(t, "Northlight {a,b} Warm.", b.one(t, `SELECT brand || ' ' || tags::text || ' ' || description FROM product p JOIN product_text t ON t.product_id = p.id WHERE slug = 'lamp'`))

	b.take(t, "Title,URL handle,Vendor,SKU,Price\nLamp,lamp,,LAMP,49.00\n")
	require.Equal(t, "", b.one(t, `SELECT brand FROM product WHERE slug = 'lamp'`), "a blank one empties it")
}

func TestADryRunKeepsNothing(t *testing.T) {
	b := newBench(t)
	b.o.DryRun = true

	report := b.take(t, newHead+"Lamp,lamp,,,,,TRUE,Active,LAMP,,,,49.00,,7,,,,\nCopy,copy,,,,,TRUE,Active,lamp,,,,49.00,,7,,,,\n")

	require.Equal(t, []int{1, 1}, []int{report.Created, report.Refused}, "the second has the first one's SKU")
	require.Equal(t, "0", b.one(t, `SELECT count(*)::text FROM product WHERE slug = 'lamp'`))
}

// Each defect refuses its product whole and names the row; the good product after it comes in.
func TestDefectsAreRefusedWithTheirReason(t *testing.T) {
	head := "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Variant Inventory Qty,Variant Grams,Variant Barcode,Cost per item\n"
	for name, c := range map[string]struct{ rows, reason string }{
		"no title":               {"x,,active,,,X,1,,,,,\n", "title is missing"},
		"no address":             {"!!!,???,active,,,X,1,,,,,\n", "address of its page"},
		"long title":             {"x," + strings.Repeat("a", 256) + ",active,,,X,1,,,,,\n", "more than 255"},
		"unknown status":         {"x,X,sold,,,X,1,,,,,\n", "status"},
		"no price":               {"x,X,active,,,X,,,,,,\n", "price is missing"},
		"price in words":         {"x,X,active,,,X,ten,,,,,\n", "is not an amount"},
		"negative price":         {"x,X,active,,,X,-1,,,,,\n", "is not an amount"},
		"price with exponent":    {"x,X,active,,,X,1e3,,,,,\n", "is not an amount"},
		"huge price":             {"x,X,active,,,X,99999999999999,,,,,\n", "is not an amount"},
		"three decimals":         {"x,X,active,,,X,1.005,,,,,\n", "is not an amount"},
		"compare-at in words":    {"x,X,active,,,X,1,more,,,,\n", "compare-at"},
		"quantity in words":      {"x,X,active,,,X,1,,some,,,\n", "whole number"},
		"half a piece":           {"x,X,active,,,X,1,,1.5,,,\n", "whole number"},
		"too many pieces":        {"x,X,active,,,X,1,,99999999,,,\n", "whole number"},
		"weight in words":        {"x,X,active,,,X,1,,,heavy,,\n", "whole number"},
		"wrong check digit":      {"x,X,active,,,X,1,,,,4006381333932,\n", "do not add up"},
		"barcode in words":       {"x,X,active,,,X,1,,,,abc,\n", "do not add up"},
		"cost in words":          {"x,X,active,,,X,1,,,,,cheap\n", "cost"},
		"SKU twice":              {"x,X,active,Size,S,X,1,,,,,\nx,,,,M,x,1,,,,,\n", "stands twice"},
		"variant twice":          {"x,X,active,Size,S,X1,1,,,,,\nx,,,,S,X2,1,,,,,\n", "two variants"},
		"value missing":          {"x,X,active,Size,S,X1,1,,,,,\nx,,,,,X2,1,,,,,\n", "Size is missing"},
		"no variant":             {"x,X,active,,,,,,,,,\n", "no variant"},
		"another's SKU":          {"x,X,active,,,mug-w,1,,,,,\n", "already used"},
		"another's barcode":      {"x,X,active,,,X,1,,,,4006381333931,\n", "already used"},
		"invalid UTF-8":          {"x,X\xff,active,,,X,1,,,,,\n", "UTF-8"},
		"NUL":                    {"x,X\x00,active,,,X,1,,,,,\n", "readable"},
		"rows that are not near": {"x,X,active,,,X,1,,,,,\ny,Y,active,,,Y,1,,,,,\nx,X again,active,,,X3,1,,,,,\n", "not together"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			report := b.take(t, head+c.rows+"good,Good,active,,,GOOD,9.99,,,,,\n")
			require.Equal(t, 1, report.Refused)
			var reasons []string
			for _, complaint := range report.Complaints {
				require.GreaterOrEqual(t, complaint.Row, 2)
				reasons = append(reasons, complaint.Reason)
			}
			require.Contains(t, strings.Join(reasons, "; "), c.reason)
			require.Equal(t, "1", b.one(t, `SELECT count(*)::text FROM product WHERE slug = 'good'`))
			if name != "rows that are not near" {
				require.Equal(t, "0", b.one(t, `SELECT count(*)::text FROM product WHERE slug = 'x'`), "all or nothing")
			}
		})
	}
}

func TestFilesThatAreNotOnesAreSaidSo(t *testing.T) {
	b := newBench(t)
	for name, content := range map[string]string{"empty": "", "no title": "Handle,Price\nx,1\n", "a heading twice": "Title,Title\nx,y\n", "a picture": "\x89PNG\r\n\x1a\n\x00\x00"} {
		_, err := intake.Products(ctx, b.db, strings.NewReader(content), b.o)
		require.ErrorIs(t, err, intake.ErrFile, name)
	}
}

func TestOtherWaysToWriteAFile(t *testing.T) {
	rows := "Title;URL handle;SKU;Price\r\n\"Lamp; tall\";lamp;LAMP;\"1,234.50\"\r\n\r\n"
	utf := utf16.Encode([]rune("\ufeff" + rows))
	wide := make([]byte, 0, 2*len(utf))
	for _, unit := range utf {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, content := range map[string]string{"semicolons": rows, "byte order mark": "\ufeff" + rows, "UTF-16": string(wide), "tabs": strings.ReplaceAll(strings.ReplaceAll(rows, "; ", "~"), ";", "\t")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			report := b.take(t, content)
			require.Equal(t, 1, report.Created)
			require.Equal(t, "123450", b.one(t, `SELECT amount::text FROM price p JOIN variant v ON v.id = p.variant_id WHERE sku = 'LAMP'`))
		})
	}
}

func TestPicturesNeverComeFromOutsideTheFolder(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"../../../../etc/passwd", "/etc/passwd", "https://example.com/a.png", "images/empty.png", "images"} {
		report := b.take(t, "Title,URL handle,SKU,Price,Image Src\nLamp,lamp,LAMP,1,"+path+"\n")
		require.Zero(t, report.Refused, path)
		require.Zero(t, report.Pictures, path)
		require.Len(t, report.Complaints, 1, path)
	}
}

func TestPicturesAreDrawnInThreeSizes(t *testing.T) {
	b := newBench(t)
	b.take(t, "Title,URL handle,SKU,Price,Image Src\nLamp,lamp,LAMP,1,images/jug.png\n")
	var id int64
	require.NoError(t, b.db.QueryRow(ctx, `SELECT id FROM picture`).Scan(&id))

	require.NoError(t, gallery.Draw(ctx, b.db, b.o.Files, id))

	key := b.one(t, `SELECT key FROM picture`)
	for _, width := range []string{"160", "480", "1080"} {
		file, err := b.o.Files.Open(key + "-" + width + ".jpg")
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
}

// TestRealCataloguesComeInWhole reads what other people's shops exported. It is not part of the project, so it runs only
// where it lies beside it.
func TestRealCataloguesComeInWhole(t *testing.T) {
	for name, variants := range map[string]int{"apparel": 1879, "appliances": 87} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("..", "..", "..", "shared", "data", name, "products.csv")
			file, err := os.Open(path)
			if err != nil {
				t.Skip("this catalogue is not on this machine: only our own fixtures ran")
			}
			defer file.Close()
			b := newBench(t)
			b.o.Pictures = filepath.Dir(path)
			report, err := intake.Products(ctx, b.db, file, b.o)
			require.NoError(t, err)
			require.Zero(t, report.Refused, report.Complaints)
			for _, complaint := range report.Complaints {
				require.Contains(t, complaint.Reason, "Default Title")
			}
			var n int
			require.NoError(t, b.db.QueryRow(ctx, `SELECT count(*) FROM variant`).Scan(&n))
			require.Equal(t, variants, n-3, "beside the sample's three")
			t.Logf("%d rows, %d products, %d pictures, %d rows that only brought a picture", report.Rows, report.Created, report.Pictures, len(report.Complaints))
		})
	}
}

func FuzzProducts(f *testing.F) {
	f.Add(jug)
	f.Add(newHead + "Lamp,lamp,,,,,TRUE,Active,LAMP,,,,49.00,,7,,,,\n")
	f.Fuzz(func(t *testing.T, csv string) {
		// Reading alone: a database in a fuzzer would only be slow.
		_, _ = intake.Parse(strings.NewReader(csv))
	})
}

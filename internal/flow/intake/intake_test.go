package intake_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
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
	require.Equal(t, "Holds a litre.\n\nStoneware\n\nBlue & white",
		b.one(t, `SELECT description FROM product_text t JOIN product p ON p.id = t.product_id WHERE slug = 'jug'`))
	require.Equal(t, "{blue,new} {Colour,Size}", b.one(t,
		`SELECT tags::text || ' ' || options::text FROM product WHERE slug = 'jug'`))
	require.Equal(t, "Kitchen Jugs", b.one(t,
		`SELECT string_agg(name, ' ' ORDER BY c.parent_id NULLS FIRST) FROM product_category pc JOIN category c ON c.id = pc.category_id JOIN category_text t ON t.category_id = c.id WHERE product_id = (SELECT id FROM product WHERE slug = 'jug')`))
	require.Equal(t, "1850 2200 04006381333931", b.one(t,
		`SELECT amount || ' ' || compare_at || ' ' || gtin FROM variant v JOIN price p ON p.variant_id = v.id JOIN barcode b ON b.variant_id = v.id WHERE sku = 'JUG-W'`))
	require.Equal(t, "4", b.one(t,
		`SELECT sum(on_hand)::text FROM variant v JOIN stock_level s ON s.variant_id = v.id WHERE sku LIKE 'JUG%'`))
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
	require.Equal(t, "{} {}", b.one(t,
		`SELECT v.options::text || ' ' || p.options::text FROM variant v JOIN product p ON p.id = v.product_id WHERE sku = 'LAMP'`))
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
	require.Equal(t, "2 7", b.one(t,
		`SELECT count(DISTINCT p.id) || ' ' || max(on_hand) FROM variant v JOIN price p ON p.variant_id = v.id JOIN stock_level s ON s.variant_id = v.id WHERE sku = 'LAMP'`))
}

func TestAnAbsentColumnKeepsWhatIsThere(t *testing.T) {
	b := newBench(t)
	b.take(t, newHead+"Lamp,lamp,Warm.,Northlight,,\"a, b\",TRUE,Active,LAMP,,,,49.00,,7,,,,\n")

	b.take(t, "Title,URL handle,SKU,Price\nLamp,lamp,LAMP,49.00\n")
	require.Equal(t, "Northlight {a,b} Warm.", b.one(t,
		`SELECT brand || ' ' || tags::text || ' ' || description FROM product p JOIN product_text t ON t.product_id = p.id WHERE slug = 'lamp'`))

	b.take(t, "Title,URL handle,Vendor,SKU,Price\nLamp,lamp,,LAMP,49.00\n")
	require.Equal(t, "", b.one(t, `SELECT brand FROM product WHERE slug = 'lamp'`), "a blank one empties it")
}

func TestADryRunKeepsNothing(t *testing.T) {
	b := newBench(t)
	b.o.DryRun = true

	report := b.take(t, newHead+"Lamp,lamp,,,,,TRUE,Active,LAMP,,,,49.00,,7,,,,\nCopy,copy,,,,,TRUE,Active,lamp,,,,49.00,,7,,,,\n")

	require.Equal(t, []int{2, 0}, []int{report.Created, report.Refused})
	require.Contains(t, report.Complaints[0].Sentence(), "lamp-2", "the second has the first one's SKU")
	require.Equal(t, "0", b.one(t, `SELECT count(*)::text FROM product WHERE slug = 'lamp'`))
}

// TestOneBadCellCostsItsCellOnly has a row for each cell that cannot be read. Only a missing title refuses a product,
// and only a missing price a variant; what is left of the row comes in, and the report says what is not.
func TestOneBadCellCostsItsCellOnly(t *testing.T) {
	head := "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Variant Inventory Qty,Variant Grams,Variant Barcode,Cost per item\n"
	for name, c := range map[string]struct{ rows, reason, kept string }{
		"no title":               {"x,,active,,,X,1,,,,,\n", "title is missing", ""},
		"no price":               {"x,X,active,,,X,,,,,,\n", "price is missing", ""},
		"price in words":         {"x,X,active,,,X,ten,,,,,\n", "is not an amount", ""},
		"negative price":         {"x,X,active,,,X,-1,,,,,\n", "is not an amount", ""},
		"price with exponent":    {"x,X,active,,,X,1e3,,,,,\n", "is not an amount", ""},
		"huge price":             {"x,X,active,,,X,99999999999999,,,,,\n", "is not an amount", ""},
		"three decimals":         {"x,X,active,,,X,1.005,,,,,\n", "is not an amount", ""},
		"a sibling's price":      {"x,X,active,Size,S,X1,,,,,,\nx,,,,M,X2,1,,,,,\n", "price is missing", "X2"},
		"no variant":             {"x,X,active,,,,,,,,,\n", "no variant", ""},
		"no address":             {"!!!,???,active,,,X,1,,,,,\n", "", "X"},
		"nothing for an address": {"!!!,???,active,,,***,1,,,,,\n", "", "***"},
		"long title":             {"x," + strings.Repeat("a", 256) + ",active,,,X,1,,,,,\n", "cut after 255", "X"},
		"unknown status":         {"x,X,sold,,,X,1,,,,,\n", "came in as a draft", "X"},
		"compare-at in words":    {"x,X,active,,,X,1,more,,,,\n", "compare-at", "X"},
		"quantity in words":      {"x,X,active,,,X,1,,some,,,\n", "whole number", "X"},
		"half a unit":            {"x,X,active,,,X,1,,1.5,,,\n", "whole number", "X"},
		"too many units":         {"x,X,active,,,X,1,,99999999,,,\n", "whole number", "X"},
		"weight in words":        {"x,X,active,,,X,1,,,heavy,,\n", "whole number", "X"},
		"wrong check digit":      {"x,X,active,,,X,1,,,,4006381333932,\n", "code of your own", "X"},
		"a house code":           {"x,X,active,,,X,1,,,,'51255,\n", "", "X"},
		"cost in words":          {"x,X,active,,,X,1,,,,,cheap\n", "cost", "X"},
		"SKU twice":              {"x,X,active,Size,S,X,1,,,,,\nx,,,,M,x,1,,,,,\n", "here it is x-2", "X x-2"},
		"option twice":           {"x,X,active,Size,S,X1,1,,,,,\nx,,,,S,X2,1,,,,,\n", "S (2)", "X1 X2"},
		"no options at all":      {"x,X,active,,,X1,1,,,,,\nx,,,,,X2,1,,,,,\n", "shown by its SKU", "X1 X2"},
		"value missing":          {"x,X,active,Size,S,X1,1,,,,,\nx,,,,,X2,1,,,,,\n", "Size is missing", "X1 X2"},
		"another's SKU":          {"x,X,active,,,mug-w,1,,,,,\n", "mug’s already", "mug-w-2"},
		"another's barcode":      {"x,X,active,,,X,1,,,,4006381333931,\n", "mug’s already", "X"},
		"invalid UTF-8":          {"x,X\xff,active,,,X,1,,,,,\n", "UTF-8", "X"},
		"NUL":                    {"x,X\x00,active,,,X,1,,,,,\n", "cannot be read", "X"},
		"rows that are not near": {"x,X,active,,,X1,1,,,,,\ny,Y,active,,,Y,1,,,,,\nx,,active,,,X3,1,,,,,\n",
			"not together", "X1 X3"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			report := b.take(t, head+c.rows+"good,Good,active,,,GOOD,9.99,,,,,\n")
			require.Equal(t, c.kept == "", report.Refused == 1, report.Complaints)
			var reasons []string
			for _, complaint := range report.Complaints {
				require.GreaterOrEqual(t, complaint.Row, 2)
				reasons = append(reasons, complaint.Sentence())
			}
			require.Contains(t, strings.Join(reasons, "; "), c.reason)
			require.Equal(t, "1", b.one(t, `SELECT count(*)::text FROM product WHERE slug = 'good'`))
			require.Equal(t, c.kept, b.one(t, `
				SELECT coalesce(string_agg(v.sku, ' ' ORDER BY v.id), '')
				FROM variant v
				JOIN product p ON p.id = v.product_id
				WHERE p.slug NOT IN ('good', 'y') AND v.sku NOT IN ('MUG-W', 'MUG-B', 'COAT')`))

			again := b.take(t, head+c.rows+"good,Good,active,,,GOOD,9.99,,,,,\n")
			require.Zero(t, again.Created, "a second import changes nothing")
			require.Zero(t, again.Updated)
		})
	}
}

// TestCodesAreKept imports codes as spreadsheets leave them, and scans each.
func TestCodesAreKept(t *testing.T) {
	b := newBench(t)
	head := "Handle,Title,Variant SKU,Variant Price,Variant Barcode\n"
	report := b.take(t, head+
		"house,House code,'12412,1,'51255\n"+
		"zeros,Lost zeros,LZ,1,75678164125\n"+
		"twin-a,Twin A,T-1,1,ABC 123\n"+
		"twin-b,Twin B,T1,1,abc-123\n")
	require.Zero(t, report.Refused)
	scan := func(typed string) string {
		found := catalog.Scan(typed)
		rows, err := b.db.Query(ctx, `SELECT sku FROM variant WHERE id IN (`+catalog.ByCode+`) ORDER BY sku`,
			pgx.NamedArgs{"gtins": found.GTINs, "key": found.Key})
		require.NoError(t, err)
		skus, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return strings.Join(skus, " ")
	}

	require.Equal(t, "12412", scan("12412"), "without the spreadsheet's apostrophe")
	require.Equal(t, "12412", scan("51255"))
	require.Equal(t, "LZ", scan("075678164125"), "as a scanner reads it")
	require.Equal(t, "LZ", scan("75678164125"), "as it was typed")
	require.Equal(t, "LZ", scan("]E00075678164125"))
	require.Equal(t, "T-1 T1", scan("t 1"), "two SKUs that read alike are both offered")
	require.Equal(t, "T-1", scan("ABC123"), "the barcode stays with whoever had it first")
	require.Len(t, report.Complaints, 1)
	require.Contains(t, report.Complaints[0].Sentence(), "twin-a")
	require.Contains(t, report.Complaints[0].Sentence(), "twin-b")
}

// TestTheReportSumsUp imports one mistake many times.
func TestTheReportSumsUp(t *testing.T) {
	b := newBench(t)
	var file strings.Builder
	file.WriteString("Handle,Title,Variant SKU,Variant Price,Cost per item,Colour Code,Shelf\n")
	for i := range 40 {
		fmt.Fprintf(&file, "p%d,P%d,S%d,1,cheap,x,y\n", i, i, i)
	}
	report := b.take(t, file.String())
	var out strings.Builder
	report.Tell(&out, b.o.Location, false)

	require.Contains(t, out.String(), "40 × notice: the cost … is not an amount")
	require.Contains(t, out.String(), "and 35 more")
	require.Contains(t, out.String(), "Columns that were not read: Colour Code, Shelf.")
	require.Less(t, strings.Count(out.String(), "\n"), 12)
	require.Len(t, report.Complaints, 40, "every row is there for the file of them")
}

// TestWhatIsNotTrackedIsSoldAllTheSame reads Shopify's tracker and policy.
func TestWhatIsNotTrackedIsSoldAllTheSame(t *testing.T) {
	b := newBench(t)
	b.take(t, "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Policy,Variant Inventory Qty\n"+
		"a,A,A,1,shopify,deny,3\nb,B,B,1,,deny,0\nc,C,C,1,shopify,continue,0\n")
	require.Equal(t, "A true false, B false false, C true true",
		b.one(t, `SELECT string_agg(format('%s %s %s', sku, tracked::text, back_order::text), ', ' ORDER BY sku) FROM variant WHERE length(sku) = 1`))

	b.take(t, "URL handle,Title,SKU,Price,Inventory tracker,Continue selling when out of stock\na,A,A,1,,CONTINUE\n")
	require.Equal(t, "false true", b.one(t,
		`SELECT tracked::text || ' ' || back_order::text FROM variant WHERE sku = 'A'`))
	b.take(t, "URL handle,Title,SKU,Price\na,A,A,1\n")
	require.Equal(t, "false true", b.one(t,
		`SELECT tracked::text || ' ' || back_order::text FROM variant WHERE sku = 'A'`), "an absent column keeps what is there")
}

func TestFilesThatAreNotOnesAreSaidSo(t *testing.T) {
	b := newBench(t)
	for name, content := range map[string]string{"empty": "", "no title": "Handle,Price\nx,1\n",
		"a heading twice": "Title,Title\nx,y\n", "a picture": "\x89PNG\r\n\x1a\n\x00\x00"} {
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
	for name, content := range map[string]string{"semicolons": rows, "byte order mark": "\ufeff" + rows,
		"UTF-16": string(wide), "tabs": strings.ReplaceAll(strings.ReplaceAll(rows, "; ", "~"), ";", "\t")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			report := b.take(t, content)
			require.Equal(t, 1, report.Created)
			require.Equal(t, "123450", b.one(t,
				`SELECT amount::text FROM price p JOIN variant v ON v.id = p.variant_id WHERE sku = 'LAMP'`))
		})
	}
}

func TestPicturesNeverComeFromOutsideTheFolder(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"../../../../etc/passwd", "/etc/passwd", "https://example.com/a.png",
		"images/empty.png", "images"} {
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

	require.NoError(t, gallery.Render(ctx, b.db, b.o.Files, id))

	key := b.one(t, `SELECT key FROM picture`)
	for _, width := range []string{"160", "480", "1080"} {
		file, err := b.o.Files.Open(key + "-" + width + ".jpg")
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
}

// TestRealCataloguesComeInWhole reads what other people's shops exported. It is not part of the project, so it runs
// only where it lies beside it.
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
			t.Logf("%d rows, %d products, %d pictures, %d rows that only brought a picture", report.Rows,
				report.Created, report.Pictures, len(report.Complaints))
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

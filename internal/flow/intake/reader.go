package intake

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/language"
	"golang.org/x/text/transform"
)

// productHeadings are Shopify's names of a column: the old ones, then the new.
var productHeadings = map[string][]string{
	"handle": {"handle", "url handle"}, "title": {"title"}, "description": {"body (html)",
		"description"}, "vendor": {"vendor"},
	"category": {"product category"}, "type": {"type"}, "tags": {"tags"}, "published": {"published",
		"published on online store"}, "status": {"status"},
	"option1 name": {"option1 name"}, "option2 name": {"option2 name"}, "option3 name": {"option3 name"},
	"option1": {"option1 value"}, "option2": {"option2 value"}, "option3": {"option3 value"},
	"sku": {"variant sku", "sku"}, "barcode": {"variant barcode", "barcode"}, "price": {"variant price", "price"},
	"tracker": {"variant inventory tracker", "inventory tracker"}, "policy": {"variant inventory policy",
		"continue selling when out of stock"},
	"compare": {"variant compare at price", "compare-at price"}, "quantity": {"variant inventory qty",
		"inventory quantity"},
	"grams": {"variant grams", "weight value (grams)"}, "cost": {"cost per item"}, "taxable": {"variant taxable",
		"charge tax"}, "gift card": {"gift card"},
	"picture": {"image src", "product image url"}, "alt": {"image alt text"}, "variant picture": {"variant image",
		"variant image url"},
}

// headColumns describe the product, not one of its variants.
var headColumns = []string{"title", "description", "vendor", "category", "type", "tags", "published", "status",
	"option1 name", "option2 name", "option3 name"}

// codes are columns whose cells are identifiers: no name begins with an apostrophe there.
var codes = []string{"sku", "barcode", "handle", "id", "phone", "address phone", "zip", "email"}

// unmarked takes off the apostrophe with which a spreadsheet marks a cell as text. A name may begin with one, as
// ’s-Hertogenbosch does, so elsewhere it goes only where a spreadsheet would have needed it.
func unmarked(column, cell string) string {
	bare, marked := strings.CutPrefix(strings.TrimSpace(cell), "'")
	if !marked || bare == "" {
		return cell
	}
	if slices.Contains(codes, column) || strings.ContainsAny(bare[:1], "0123456789=+-@\t") {
		return bare
	}
	return cell
}

// A row of the file. A column that the file does not have is absent, which is not the same as empty.
type row struct {
	n     int // line of the file on which it begins
	cells map[string]string
}

func (r row) get(column string) string { return strings.TrimSpace(r.cells[column]) }

func (r row) has(column string) bool {
	_, ok := r.cells[column]
	return ok
}

type reader struct {
	csv     *csv.Reader
	columns []string // ours, or "" for those we do not read
	unread  []string // headings of those
	ahead   *row
}

// ErrFile is about the file as a whole.
var ErrFile = errors.New("this file cannot be imported")

// newReader reads the headings of a file. One of the needed columns has to be there.
func newReader(r io.Reader, headings map[string][]string, needed ...string) (*reader, error) {
	// A byte order mark decides between UTF-8 and UTF-16; without one it is UTF-8.
	text := bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(unicode.UTF8.NewDecoder())), 64<<10)
	head, err := text.Peek(4096)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, fmt.Errorf("%w: %v", ErrFile, err)
	}
	c := csv.NewReader(text)
	c.Comma = separator(string(head))
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	names, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: it is empty", ErrFile)
	}
	rd := &reader{csv: c}
	known := map[string]bool{}
	for _, name := range names {
		column := ""
		for ours, theirs := range headings {
			for _, one := range theirs {
				if strings.EqualFold(strings.TrimSpace(name), one) {
					column = ours
				}
			}
		}
		if column != "" && known[column] {
			return nil, fmt.Errorf("%w: the heading %q appears twice", ErrFile, name)
		}
		known[column] = true
		if name = strings.TrimSpace(name); column == "" && name != "" {
			rd.unread = append(rd.unread, name)
		}
		rd.columns = append(rd.columns, column)
	}
	for _, column := range needed {
		if known[column] {
			return rd, nil
		}
	}
	return nil, fmt.Errorf("%w: it has no column called %s", ErrFile,
		cases.Title(language.English).String(headings[needed[0]][0]))
}

// separator is the one of comma, semicolon and tab that the first line has most of.
func separator(head string) rune {
	line, _, _ := strings.Cut(head, "\n")
	best, most := ',', 0
	for _, candidate := range []rune{',', ';', '\t'} {
		if n := strings.Count(line, string(candidate)); n > most {
			best, most = candidate, n
		}
	}
	return best
}

// next is the rows of one product: the one that names it and those that continue it by its handle.
func (r *reader) next() (group []row, err error) {
	for {
		one := r.ahead
		r.ahead = nil
		if one == nil {
			if one, err = r.read(); err != nil {
				if err == io.EOF && len(group) > 0 {
					return group, nil
				}
				return nil, err
			}
		}
		if len(group) > 0 && !continues(group[0], *one) {
			r.ahead = one
			return group, nil
		}
		group = append(group, *one)
	}
}

func continues(first, one row) bool {
	return first.get("handle") != "" && first.get("handle") == one.get("handle")
}

func (r *reader) read() (*row, error) {
	for {
		cells, err := r.csv.Read()
		if err == io.EOF {
			return nil, io.EOF
		}
		line, _ := r.csv.FieldPos(0)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFile, err)
		}
		one := &row{n: line, cells: map[string]string{}}
		empty := true
		for i, cell := range cells {
			if i < len(r.columns) && r.columns[i] != "" {
				one.cells[r.columns[i]] = unmarked(r.columns[i], cell)
				empty = empty && strings.TrimSpace(cell) == ""
			}
		}
		if !empty {
			return one, nil
		}
	}
}

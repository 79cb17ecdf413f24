package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/platform/text"
)

// customerHeadings are Shopify's names of a column: the old ones, then the new.
var customerHeadings = map[string][]string{
	"email": {"email"}, "phone": {"phone"}, "id": {"customer id"}, "first": {"first name"}, "last": {"last name"},
	"mail": {"accepts marketing",
		"accepts email marketing"}, "sms": {"accepts sms marketing"}, "tags": {"tags"}, "note": {"note"},
	"company": {"company", "default address company"}, "address1": {"address1",
		"default address address1"}, "address2": {"address2", "default address address2"},
	"city": {"city", "default address city"}, "region": {"province code",
		"default address province code"}, "country": {"country code", "default address country code"},
	"zip": {"zip", "default address zip"}, "address phone": {"default address phone"},
}

// CustomerOptions of an import. Country is that of phone numbers in rows without an address; Forgotten says whose
// identity it was who asked to be forgotten.
type CustomerOptions struct {
	Country   string
	Forgotten func(kind, value string) bool
	DryRun    bool // try everything, keep nothing
	Progress  func(rows int)
}

func (o CustomerOptions) forgot(in customer.ImportRow) bool {
	return o.Forgotten != nil && (o.Forgotten(customer.External, in.Key) || o.Forgotten(customer.Email, in.Email) ||
		o.Forgotten(customer.Phone, in.Phone))
}

// CustomerReport is what an import of customers did.
type CustomerReport struct {
	Rows, Created, Updated, Unchanged, Refused int
	Complaints                                 []Complaint
	Unread                                     []string // headings of the file that mean nothing here
}

// Tell writes the report for a person: the complaints by reason, then the sum.
func (r CustomerReport) Tell(w io.Writer, dry bool) {
	tellReasons(w, r.Complaints, r.Unread)
	if dry {
		fmt.Fprint(w, "Dry run, nothing was saved. ")
	}
	fmt.Fprintf(w, "%d rows: %d new customers, %d changed, %d unchanged, %d refused.\n", r.Rows, r.Created, r.Updated,
		r.Unchanged, r.Refused)
}

// Customers reads a file customer by customer, each in a transaction of its own. Addresses and numbers come in
// unproven: whoever proves one later finds what was bought under it. A second import changes nothing, and no consent
// that somebody took back here comes back.
func Customers(ctx context.Context, db pg.DB, r io.Reader, o CustomerOptions) (report CustomerReport, err error) {
	rows, err := newReader(r, customerHeadings, "email", "phone")
	if err != nil {
		return report, err
	}
	report.Unread = rows.unread
	if o.DryRun {
		err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			if err := customers(ctx, tx, rows, o, &report); err != nil {
				return err
			}
			return errDryRun
		})
		if errors.Is(err, errDryRun) {
			err = nil
		}
		return report, err
	}
	if err := customers(ctx, db, rows, o, &report); err != nil {
		return report, err
	}
	// Numbers of another system join people with what they bought before.
	return report, figure.Ask(ctx, db)
}

func customers(ctx context.Context, db pg.DB, rows *reader, o CustomerOptions, report *CustomerReport) error {
	for {
		one, err := rows.read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		report.Rows++
		in, complaints, whole := readCustomer(*one, o.Country)
		if !whole && o.forgot(in) {
			complaints, whole = append(complaints, Complaint{Row: one.n,
				Reason: "they asked to be erased, so they were not imported", Whole: true}), true
		}
		report.Complaints = append(report.Complaints, complaints...)
		if whole {
			report.Refused++
			continue
		}
		var outcome customer.Outcome
		err = pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
			outcome, err = customer.Import(ctx, tx, in)
			return err
		})
		switch {
		case pg.Violates(err, "identity_verified"):
			report.Refused++
			report.Complaints = append(report.Complaints, Complaint{Row: one.n,
				Reason: "its customer id already belongs to another customer", Whole: true})
		case err != nil:
			return fmt.Errorf("row %d: %w", one.n, err)
		case outcome.Created:
			report.Created++
		case outcome.Changed:
			report.Updated++
		default:
			report.Unchanged++
		}
		if o.Progress != nil {
			o.Progress(report.Rows)
		}
	}
}

func readCustomer(r row, country string) (in customer.ImportRow, complaints []Complaint, whole bool) {
	complain := func(whole bool, reason string, args ...any) {
		complaints = append(complaints, Complaint{Row: r.n, Reason: reason, Args: args, Whole: whole})
	}
	cell := func(column string, most int) string { return text.Clean(r.get(column), most) }
	in = customer.ImportRow{Name: strings.Join(strings.Fields(cell("first", 100)+" "+cell("last", 100)), " "),
		Language: "en", News: map[string]bool{}}
	if utf8.RuneCountInString(in.Name) > 100 {
		in.Name = string([]rune(in.Name)[:100])
	}
	if typed := cell("email", 300); typed != "" {
		email, ok := customer.NormalEmail(typed)
		if !ok {
			complain(false, "%q is no email address: it was left out", typed)
		}
		in.Email = email
	}
	if code := strings.ToUpper(cell("country", 2)); len(code) == 2 {
		country = code // of the address that the number stands beside
	}
	typed := cell("phone", 60)
	if typed == "" {
		typed = cell("address phone", 60)
	}
	if typed != "" {
		number, ok := phone.Read(typed, country)
		if !ok {
			complain(false, "%q is no phone number in %s: it was left out", typed,
				cmp.Or(country, "an unknown country"))
		}
		in.Phone = number
	}
	for _, tag := range strings.Split(r.get("tags"), ",") {
		if tag = strings.ToLower(text.Clean(tag, 40)); tag != "" && len(in.Tags) < 30 {
			in.Tags = append(in.Tags, tag)
		}
	}
	in.Note = cell("note", 2000)
	for column, medium := range map[string]string{"mail": customer.ByMail, "sms": customer.BySMS} {
		if r.has(column) && r.get(column) != "" {
			in.News[medium] = strings.EqualFold(r.get(column), "yes") || strings.EqualFold(r.get(column), "true")
		}
	}
	if street := cell("address1", 120); street != "" && cell("city", 120) != "" {
		a := &customer.Address{Name: in.Name, Lines: street, Town: cell("city", 120), Region: cell("region", 120),
			Postcode: cell("zip", 120), Country: country, Phone: in.Phone}
		for _, line := range []string{cell("address2", 120), cell("company", 120)} {
			if line != "" {
				a.Lines += "\n" + line
			}
		}
		a.Name = cmp.Or(a.Name, in.Email+in.Phone, a.Town)
		if len(country) == 2 {
			in.Address = a
		} else {
			complain(false, "the address names no country: it was left out")
		}
	}
	if id := cell("id", 40); id != "" {
		in.Key = "shopify:" + id
	} else {
		in.Key = keyOf(in)
	}
	if in.Key == "" {
		complain(true, "there is no name, address, email or phone number")
		return in, complaints, true
	}
	return in, complaints, false
}

// keyOf names a customer whose system gives no id, by what the row says of them: the next import of the file finds them
// again. An address or a number alone joins nobody: two people can share one, or one was written down wrongly.
func keyOf(in customer.ImportRow) string {
	reach := cmp.Or(in.Email, in.Phone)
	if a := in.Address; reach == "" && a != nil {
		reach = strings.Join([]string{a.Lines, a.Town, a.Postcode, a.Country}, "\n")
	}
	if in.Name == "" && reach == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.ToLower(in.Name) + "\x00" + reach))
	return "row:" + hex.EncodeToString(sum[:16])
}

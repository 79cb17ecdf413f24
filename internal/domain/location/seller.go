package location

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Seller is the company that sells: what an invoice has to say (directive 2006/112/EC, article 226; for Britain VAT
// Notice 700, 16.3).
type Seller struct {
	LegalName     string
	Address       string // registered office, one line each
	CompanyNumber string
	VATNumber     string
}

// Label is the seller as a document names them, line by line.
func (s Seller) Label() (lines []string) {
	if s.LegalName != "" {
		lines = append(lines, s.LegalName)
	}
	for line := range strings.Lines(s.Address) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// SellerAt is who sells at a location: the company that runs it, in what it does not say the shop's own.
func SellerAt(ctx context.Context, db pg.DB, locationID int64) (s Seller, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(nullif(l.legal_name, ''), shop.legal_name), coalesce(nullif(l.seller_address, ''),
			shop.seller_address),
			coalesce(nullif(l.company_number, ''), shop.company_number), coalesce(nullif(l.vat_number, ''),
				shop.vat_number)
		FROM shop
		LEFT JOIN location l ON l.id = $1`, locationID).Scan(&s.LegalName, &s.Address, &s.CompanyNumber, &s.VATNumber)
	if err != nil {
		return s, fmt.Errorf("read who sells: %w", err)
	}
	return s, nil
}

// Sellers are the shop's own details, under 0, and what each location says differently.
func Sellers(ctx context.Context, db pg.DB) (map[int64]Seller, error) {
	rows, err := db.Query(ctx, `
		SELECT 0::bigint, legal_name, seller_address, company_number, vat_number FROM shop
		UNION ALL
		SELECT id, legal_name, seller_address, company_number, vat_number FROM location`)
	if err != nil {
		return nil, fmt.Errorf("list who sells: %w", err)
	}
	all := map[int64]Seller{}
	var id int64
	var s Seller
	_, err = pgx.ForEachRow(rows, []any{&id, &s.LegalName, &s.Address, &s.CompanyNumber, &s.VATNumber}, func() error {
		all[id] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who sells: %w", err)
	}
	return all, nil
}

var vatNumber = regexp.MustCompile(`^[0-9A-Z+*]{4,15}$`)

// ReadVATNumber tidies a VAT number up: capitals, no spaces, dots or dashes. False when it cannot be one anywhere. An
// empty one is none.
func ReadVATNumber(typed string) (string, bool) {
	number := strings.NewReplacer(" ", "", ".", "", "-", "", "\u00a0",
		"").Replace(strings.ToUpper(strings.TrimSpace(typed)))
	return number, number == "" || vatNumber.MatchString(number) && strings.ContainsAny(number, "0123456789")
}

// CheckSeller tidies a seller up and says, field by field, what is wrong. The shop itself has to have a name and an
// address; a location says only what differs.
func CheckSeller(s *Seller, whole bool, form *fault.Form) {
	s.LegalName, s.CompanyNumber = text.Clean(s.LegalName, 121), text.Clean(s.CompanyNumber, 41)
	s.Address = text.Clean(strings.ReplaceAll(s.Address, "\r\n", "\n"), 401)
	if whole && s.LegalName == "" {
		form.Add("legal_name", "Enter the legal name of the business, as it’s registered.")
	}
	if whole && s.Address == "" {
		form.Add("seller_address", "Enter the registered address.")
	}
	if len([]rune(s.LegalName)) > 120 {
		form.Add("legal_name", "That’s too long for an invoice. Use up to 120 characters.")
	}
	if len([]rune(s.Address)) > 400 || strings.Count(s.Address, "\n") > 5 {
		form.Add("seller_address", "That’s too long for an invoice. Use up to six lines.")
	}
	if len([]rune(s.CompanyNumber)) > 40 {
		form.Add("company_number", "That’s too long. Use up to 40 characters.")
	}
	number, ok := ReadVATNumber(s.VATNumber)
	if !ok {
		form.Add("vat_number", "Enter a VAT number, such as GB123456789.")
	}
	s.VATNumber = number
}

// SetSeller writes who sells: the shop (0), or what a location says differently.
func SetSeller(ctx context.Context, tx pgx.Tx, locationID int64, s Seller) error {
	var form fault.Form
	CheckSeller(&s, locationID == 0, &form)
	if err := form.Err(); err != nil {
		return err
	}
	statement := `
		UPDATE shop
		SET legal_name = @name, seller_address = @address, company_number = @company, vat_number = @vat
		WHERE @id = 0`
	if locationID != 0 {
		statement = `
		UPDATE location
		SET legal_name = @name, seller_address = @address, company_number = @company, vat_number = @vat
		WHERE id = @id`
	}
	tag, err := tx.Exec(ctx, statement, pgx.NamedArgs{"id": locationID, "name": s.LegalName, "address": s.Address,
		"company": s.CompanyNumber, "vat": s.VATNumber})
	if err != nil {
		return fmt.Errorf("write who sells: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "We can’t find that location.")
	}
	return nil
}

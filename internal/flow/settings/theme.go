package settings

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// SetTheme merges a form onto how the shop looks.
func SetTheme(ctx context.Context, db pg.DB, at origin.Origin, edit merge.Edit) error {
	return onShop(ctx, db, at, "shop.look", edit, func(tx pgx.Tx) (map[string]string, error) {
		var theme location.Theme
		err := pg.Ask(ctx, tx, location.ThemeOf(&theme))
		return theme.Fields(), err
	}, func(tx pgx.Tx, merged map[string]string, form *fault.Form) (map[string]string, error) {
		theme := location.ReadTheme(merged, form)
		if err := form.Err(); err != nil {
			return nil, err
		}
		return theme.Fields(), location.SetTheme(ctx, tx, theme)
	})
}

// onShop merges a form onto something of the shop that nobody else changes meanwhile.
func onShop(ctx context.Context, db pg.DB, at origin.Origin, action string, edit merge.Edit,
	read func(tx pgx.Tx) (map[string]string, error),
	write func(tx pgx.Tx, merged map[string]string, form *fault.Form) (map[string]string, error)) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := location.LockShop(ctx, tx); err != nil {
			return err
		}
		now, err := read(tx)
		if err != nil {
			return err
		}
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return err
		}
		var form fault.Form
		after, err := write(tx, merged, &form)
		if err != nil {
			return err
		}
		was, is := merge.Changes(now, after)
		if len(is) == 0 {
			return nil
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: action, Subject: "shop", Before: was,
			After: is})
	})
}

// SetLogo says which picture stands for the shop's name; empty: none.
func SetLogo(ctx context.Context, db pg.DB, at origin.Origin, key string) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "shop.look", Subject: "shop", After: map[string]any{"logo": key}},
			location.SetLogo(ctx, tx, key)
	})
}

// SetDetails merges a form onto what the shop is called, speaks and asks of its staff. languages are those that it can
// have.
func SetDetails(ctx context.Context, db pg.DB, at origin.Origin, languages []string, edit merge.Edit) error {
	return onShop(ctx, db, at, "shop.details", edit, func(tx pgx.Tx) (map[string]string, error) {
		var d *location.Details
		err := pg.Ask(ctx, tx, location.DetailsOf(&d))
		if err != nil || d == nil {
			return nil, err
		}
		return d.Fields(), nil
	}, func(tx pgx.Tx, merged map[string]string, form *fault.Form) (map[string]string, error) {
		d := readDetails(merged, languages, form)
		if err := form.Err(); err != nil {
			return nil, err
		}
		return d.Fields(), location.SetDetails(ctx, tx, d)
	})
}

func readDetails(f map[string]string, languages []string, form *fault.Form) location.Details {
	d := location.Details{Name: text.Clean(f["shop_name"], 81), SenderName: text.Clean(f["sender_name"], 81),
		SecondFactor: f["second_factor"] == "1"}
	if d.Name == "" || utf8.RuneCountInString(d.Name) > 80 {
		form.Add("shop_name", "Enter the name of your shop, up to 80 characters.")
	}
	if utf8.RuneCountInString(d.SenderName) > 80 || strings.ContainsAny(d.SenderName, "<>\"\r\n") {
		form.Add("sender_name", "Use up to {most} characters, without < > or quotation marks.", text.Args{"most": 80})
	}
	if typed := strings.TrimSpace(f["reply_to"]); typed != "" {
		email, ok := customer.NormalEmail(typed)
		if !ok {
			form.Add("reply_to", "Enter a valid email address, such as ada@example.com.")
		}
		d.ReplyTo = email
	}
	spoken := strings.Split(f["languages"], ",")
	for _, language := range spoken {
		if !slices.Contains(languages, language) {
			form.Add("languages", "Choose from the list.")
		}
	}
	if !slices.Contains(spoken, text.Source) {
		form.Add("languages", "For now English has to be one of them: it’s the fallback language.")
	}
	d.Languages = strings.Join(spoken, ",")
	number := func(field string, from, to int, sentence string) int {
		n, err := strconv.Atoi(strings.TrimSpace(f[field]))
		if err != nil || n < from || n > to {
			form.Add(field, sentence)
		}
		return n
	}
	d.IdleMinutes = number("idle_minutes", 1, 240, "Enter minutes from 1 to 240.")
	d.WriteOffLimit = number("write_off_limit", 0, 1_000_000, "Enter a number of units from 0 to a million.")
	return d
}

// SavePage merges a form onto one of the retailer's pages in a language; one without an id is a new one, of a kind. It
// answers its id.
func SavePage(ctx context.Context, db pg.DB, at origin.Origin, pageID int64, kind, language string, edit merge.Edit) (
	saved int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		was := editorial.Draft{Kind: kind, Language: language}
		if pageID != 0 {
			if was, err = editorial.Lock(ctx, tx, pageID, language); err != nil {
				return err
			}
		}
		merged, both := edit.Onto(was.Fields())
		if err := merge.Conflict(both); err != nil {
			return err
		}
		if merged["slug"] = catalog.Slug(merged["slug"]); merged["slug"] == "" {
			merged["slug"] = catalog.Slug(merged["title"])
		}
		d := was
		var form fault.Form
		if d.Read(merged, &form); form.Err() != nil {
			return form.Err()
		}
		if saved, err = editorial.Save(ctx, tx, was, d, at.AssociateID); err != nil {
			return err
		}
		before, after := merge.Changes(was.Fields(), d.Fields())
		if len(after) == 0 {
			return nil
		}
		delete(before, "body") // The versions have it.
		delete(after, "body")
		after["language"] = language
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "page.changed", Subject: "page",
			SubjectID: saved, Before: before, After: after})
	})
	return saved, err
}

// AddTaxClass adds a class of goods that are taxed alike.
func AddTaxClass(ctx context.Context, db pg.DB, at origin.Origin, name string) error {
	name = text.Clean(name, 61)
	code := catalog.Slug(name)
	if code == "" || utf8.RuneCountInString(name) > 60 {
		return fault.Field("class_name", "Enter a name, up to {most} characters.", text.Args{"most": 60})
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "tax.class", Subject: "shop", After: map[string]any{"class": name}},
			tax.AddClass(ctx, tx, tax.Class{Code: code, Name: name})
	})
}

// PlanTaxRate writes a rate that holds from a day on, by the clocks of zone; a job sets it then.
func PlanTaxRate(ctx context.Context, db pg.DB, at origin.Origin, rate tax.Rate, day string, zone *time.Location) error {
	var form fault.Form
	tax.Check(&rate, &form)
	starts, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil || starts.Year() > 2200 || !starts.After(time.Now()) {
		form.Add("from", "Choose a day to come, or leave it empty for now.")
	}
	classes, err := tax.Classes(ctx, db)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(classes, func(c tax.Class) bool { return c.Code == rate.Class }) {
		form.Add("class", "Choose a tax class from the list.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "tax.planned", Subject: "shop", After: map[string]any{"country": rate.Country,
				"region": rate.Region, "class": rate.Class, "ppm": rate.PPM, "from": day}},
			tax.Plan(ctx, tx, rate, starts)
	})
}

// DropTaxPlan calls a planned rate off.
func DropTaxPlan(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "tax.plan_dropped", Subject: "shop", After: map[string]any{"plan": id}},
			tax.DropPlan(ctx, tx, id)
	})
}

// SetCarriers says where parcels are followed: a carrier and an address with {number} in it, one a line.
func SetCarriers(ctx context.Context, db pg.DB, at origin.Origin, typed string) error {
	names, addresses := []string{}, []string{}
	for line := range strings.Lines(text.Clean(typed, 8000)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, address, ok := strings.Cut(line, "|")
		name, address = strings.TrimSpace(name), strings.TrimSpace(address)
		if !ok || name == "" || utf8.RuneCountInString(name) > 60 || len(address) > 300 ||
			!strings.HasPrefix(address, "https://") || !strings.Contains(address, "{number}") ||
			slices.Contains(names, name) {
			return fault.Field("carriers", "“{line}” isn’t a carrier. Enter its name, a bar and an address with {number} in it.",
				text.Args{"line": line, "number": "{number}"})
		}
		names, addresses = append(names, name), append(addresses, address)
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "shop.carriers", Subject: "shop", After: map[string]any{"carriers": names}},
			delivery.SetCarriers(ctx, tx, names, addresses)
	})
}

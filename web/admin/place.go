package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/intake"
	"counterpart/internal/flow/settings"
	"counterpart/internal/flow/setup"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// placesView is the list of stores and warehouses.
type placesView struct {
	All []location.Location
	Now time.Time
}

func (p *Pages) placeList(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return respond.Page(placesPage(frame(r, text.T(r.Context(), "Stores and warehouses"), "places"),
		placesView{all, time.Now()})), nil
}

// placeView is a store or a warehouse, or the form of a new one.
type placeView struct {
	editing
	ID      int64 // 0: it is a new one
	Name    string
	Traded  bool
	Special location.Specials
	Typed   map[string]string // of a special day
}

var placeFields = []string{"name", "code", "kind", "slug", "street", "town", "postcode", "country", "region", "phone",
	"latitude", "longitude", "time_zone", "currency", "tax_included", "pickup", "ship", "takes_returns", "preparation",
	"day1", "day2", "day3", "day4", "day5", "day6", "day7"}

func (p *Pages) newPlace(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPlace(r, 0, placeView{}, nil)
}

func (p *Pages) place(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPlace(r, id(r, "id"), placeView{}, nil)
}

func (p *Pages) showPlace(r *http.Request, placeID int64, v placeView, wrong *fault.Fault) (respond.Answer, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	v.ID = placeID
	title := text.T(r.Context(), "New store or warehouse")
	if placeID == 0 {
		v.now = freshPlace(all)
	} else {
		i := slices.IndexFunc(all, func(l location.Location) bool { return l.ID == placeID })
		if i < 0 {
			return nil, respond.NotFound()
		}
		v.now, v.Name = all[i].Fields(), all[i].Name
		title = v.Name
		if v.Traded, err = location.Traded(r.Context(), p.DB, placeID); err != nil {
			return nil, err
		}
		if v.Special, err = location.SpecialDays(r.Context(), p.DB, placeID); err != nil {
			return nil, err
		}
	}
	a := frame(r, title, "places")
	if wrong != nil {
		if v.Form == "" {
			v.Take(r, wrong)
		}
		return respond.Wrong(wrong, placePage(a, v, title)), nil
	}
	return respond.Page(placePage(a, v, title)), nil
}

// freshPlace are the fields of a new place: like the first one that there is, open on weekdays.
func freshPlace(all []location.Location) map[string]string {
	l := location.Location{Kind: "store", Pickup: true, Ship: true, TakesReturns: true}
	if len(all) > 0 {
		first := slices.MinFunc(all, func(a, b location.Location) int { return cmp.Compare(a.ID, b.ID) })
		l.Country, l.Currency, l.TaxIncluded, l.TimeZone = first.Country, first.Currency, first.TaxIncluded,
			first.TimeZone
	}
	for weekday := 1; weekday <= 6; weekday++ {
		l.Hours = append(l.Hours, location.Hours{Weekday: weekday, Opens: 9 * 60, Closes: 18 * 60, Preparation: 120})
	}
	return l.Fields()
}

func (p *Pages) openPlace(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, placeFields...)
	place, err := settings.OpenPlace(r.Context(), p.DB, at(r), edit.Mine)
	if f := fault.As(err); f != nil {
		var v placeView
		v.refused(r, "place", merge.Edit{Mine: edit.Mine}, f)
		return p.showPlace(r, 0, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/places/%d?done=kept", place)), nil
}

func (p *Pages) savePlace(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, placeFields...)
	return p.afterPlace(r, "place", edit, settings.SavePlace(r.Context(), p.DB, at(r), id(r, "id"), edit), "")
}

func (p *Pages) afterPlace(r *http.Request, form string, edit merge.Edit, err error, section string) (respond.Answer,
	error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		v := placeView{Typed: typedIn(r, "day", "day_name", "day_hours", "day_preparation")}
		v.refused(r, form, edit, f)
		return p.showPlace(r, id(r, "id"), v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/places/%d?done=kept%s", id(r, "id"), section)), nil
}

func (p *Pages) closePlace(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if r.PostFormValue("sure") != "1" {
		return p.afterPlace(r, "close", merge.Edit{}, fault.Field("sure", "Tick the box first. This can’t be undone."), "")
	}
	if err := settings.ClosePlace(r.Context(), p.DB, at(r), id(r, "id")); err != nil {
		return p.afterPlace(r, "close", merge.Edit{}, err, "")
	}
	return respond.See("/admin/places?done=kept"), nil
}

// addDay writes a day that is not like its weekday.
func (p *Pages) addDay(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var form fault.Form
	typed := typedIn(r, "day", "day_name", "day_hours", "day_preparation")
	day, err := time.Parse(time.DateOnly, typed["day"])
	if err != nil || day.Year() < 2000 || day.Year() > 2200 {
		form.Add("day", "Choose the day.")
	}
	preparation := 0
	if typed["day_preparation"] != "" {
		if preparation = count(typed["day_preparation"]); preparation < 0 || preparation > 7*24*60 {
			form.Add("day_preparation", "Enter the minutes an order takes to be ready, from 0 to 10080.")
		}
	}
	open, ok := location.ReadHours(typed["day_hours"], preparation)
	if !ok {
		form.Add("day_hours", "Enter hours such as 09:00–18:00, or 09:00–13:00, 14:00–18:00. Leave it empty when closed.")
	}
	err = form.Err()
	if err == nil {
		err = settings.SetSpecialDays(r.Context(), p.DB, at(r), id(r, "id"), []location.Special{{Day: typed["day"],
			Name: typed["day_name"], Hours: open}})
	}
	return p.afterPlace(r, "day", merge.Edit{}, err, "#days")
}

func (p *Pages) removeDay(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterPlace(r, "day", merge.Edit{}, settings.RemoveSpecialDay(r.Context(), p.DB, at(r), id(r, "id"),
		typed(r.PostFormValue("day"))), "#days")
}

const maxCalendar = 1 << 20

// importDays reads days from an iCalendar or a CSV file.
func (p *Pages) importDays(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterPlace(r, "calendar", merge.Edit{}, p.readCalendar(r), "#days")
}

func (p *Pages) readCalendar(r *http.Request) error {
	files, _, err := uploads(r, maxCalendar, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 || len(files[0].Content) == 0 {
		return fault.Field("calendar", "Choose a file first.")
	}
	read := intake.Calendar
	if strings.HasSuffix(strings.ToLower(files[0].Name), ".csv") {
		read = intake.DaysCSV
	}
	days, err := read(files[0].Content, time.Now())
	if err != nil {
		return err
	}
	return settings.SetSpecialDays(r.Context(), p.DB, at(r), id(r, "id"), days)
}

func placeKind(ctx context.Context, kind string) string {
	if kind == "warehouse" {
		return text.T(ctx, "Warehouse")
	}
	return text.T(ctx, "Store")
}

// does is what a place may do, in words.
func does(ctx context.Context, l location.Location) string {
	var all text.List
	if l.Pickup {
		all = append(all, text.T(ctx, "collection"))
	}
	if l.Ship {
		all = append(all, text.T(ctx, "delivery"))
	}
	if l.TakesReturns {
		all = append(all, text.T(ctx, "returns"))
	}
	if len(all) == 0 {
		return text.T(ctx, "nothing yet")
	}
	return text.Say(ctx, all)
}

// countryOptions are those that the set-up knows.
func countryOptions(value string) (all []ui.Option) {
	found := false
	for _, c := range setup.Countries {
		all = append(all, ui.Option{Value: c.Code, Name: c.Name})
		found = found || c.Code == value
	}
	if !found && value != "" {
		all = append(all, ui.Option{Value: value, Name: value})
	}
	return all
}

// weekdayName is the weekday with a number, 1 for Monday.
func weekdayName(ctx context.Context, n int) string {
	return text.Say(ctx, text.Weekday(time.Date(2026, 11, 22+n, 12, 0, 0, 0, time.UTC)))
}

func dayName(ctx context.Context, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return text.Say(ctx, text.Date(t))
}

func hoursOrClosed(ctx context.Context, open []location.Hours) string {
	if len(open) == 0 {
		return text.T(ctx, "closed")
	}
	return location.WriteHours(open)
}

func dayField(n int) string { return "day" + strconv.Itoa(n) }

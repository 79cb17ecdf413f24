// Package privacy gives somebody everything we know about them, and forgets them.
package privacy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// KeepExport is how long a copy can be fetched.
const KeepExport = 7 * 24 * time.Hour

// Export is the job of putting a copy together.
type Export struct {
	ExportID int64 `json:"export_id" river:"unique"`
}

func (Export) Kind() string { return "export" }

var perPerson = limit.Rule{Max: 3, Window: 24 * time.Hour}

// RequestExport has everything about a person put together; the link to it is mailed to their proven address. By is
// whoever asks for them, or empty.
func RequestExport(ctx context.Context, db pg.DB, at origin.Origin, person int64, by staff.Entry) error {
	_, _, addresses, err := customer.Contacts(ctx, db, person, customer.Email)
	if err != nil {
		return err
	}
	if len(addresses) == 0 {
		return fault.New(fault.Conflict, "There is no confirmed email address to send the link to.")
	}
	if err := limit.Attempt(ctx, db, fmt.Sprintf("export:%d", person), perPerson); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		id, err := customer.AskExport(ctx, tx, person, by.AssociateID, KeepExport)
		if err != nil {
			return err
		}
		if err := customer.Record(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.Exported,
			Channel: at.Channel, AssociateID: by.AssociateID, LocationID: by.LocationID}); err != nil {
			return err
		}
		if by.AssociateID != 0 {
			by.Action, by.Subject, by.SubjectID = "customer.exported", "customer", person
			if err := staff.Log(ctx, tx, by); err != nil {
				return err
			}
		}
		return jobs.Insert(ctx, tx, Export{id})
	})
}

// BuildExport is the job: it writes the copy into the file store and has the link mailed. A second run makes it anew.
func BuildExport(ctx context.Context, db pg.DB, store *files.Store, exportID int64) error {
	person, key, err := customer.ExportFor(ctx, db, exportID, "export-"+strings.ToLower(secret.NewToken())+".zip")
	if err != nil || person == 0 {
		return err
	}
	_, _, addresses, err := customer.Contacts(ctx, db, person, customer.Email)
	if err != nil || len(addresses) == 0 {
		return err
	}
	var zip bytes.Buffer
	if err := write(ctx, db, person, &zip); err != nil {
		return fmt.Errorf("put a copy together: %w", err)
	}
	// What an earlier run left there is older than what was just read.
	if err := errors.Join(store.Remove(key), store.Put(key, &zip)); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		kept, err := customer.ExportMade(ctx, tx, exportID)
		if err != nil {
			return err
		}
		if !kept {
			return store.Remove(key) // Somebody was forgotten meanwhile, or another run was quicker.
		}
		payload, err := json.Marshal(map[string]int64{"export": exportID})
		if err != nil {
			return err
		}
		id, err := customer.Ask(ctx, tx, customer.OneTime{Purpose: customer.ForExport, CustomerID: person,
			Target: addresses[0], Payload: payload}, KeepExport)
		if err != nil {
			return err
		}
		return jobs.Insert(ctx, tx, message.AccountMail{OneTimeID: id})
	})
}

// OpenExport opens a copy by its link, as often as wanted until it expires.
func OpenExport(ctx context.Context, db pg.DB, store *files.Store, token string) (fs.File, error) {
	o, err := customer.Peek(ctx, db, customer.ForExport, token)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Export int64 `json:"export"`
	}
	if err := json.Unmarshal(o.Payload, &asked); err != nil {
		return nil, err
	}
	key, err := customer.ExportFile(ctx, db, asked.Export)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, fault.New(fault.NotFound, "This copy has expired. Please request a new one.")
	}
	return store.Open(key)
}

// Sweep forgets copies that are too old.
func Sweep(ctx context.Context, db pg.DB, store *files.Store) error {
	keys, err := customer.OverExports(ctx, db)
	for _, key := range keys {
		gone := store.Remove(key)
		if gone == nil {
			gone = customer.DropExport(ctx, db, key)
		}
		err = errors.Join(err, gone)
	}
	return err
}

// forgotten is an entry of the list that is kept outside the database: whom a restored backup has to forget again. The
// time a profile was made tells it from another one that gets the same number after a restore.
//
// Known is how other systems and we knew them, as keyed hashes: an import leaves out whoever is among them.
type forgotten struct {
	Customers []forgottenCustomer `json:"customers"`
	Known     []string            `json:"known,omitempty"`
	At        time.Time           `json:"at"`
}

type forgottenCustomer struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"created_at"`
}

const erasures = "erasure-"

// Erase forgets a person: everything that names them, or by which they could be found, in every table. Money, tax and
// stock rows stay, without a name. It waits for nothing but orders that still lie ready for them.
func Erase(ctx context.Context, db pg.DB, store *files.Store, person int64, by staff.Entry) error {
	var copies []string
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		who, err := customer.LockPerson(ctx, tx, person)
		if err != nil {
			return err
		}
		if len(who) == 0 {
			return fault.New(fault.NotFound, "This customer no longer exists.")
		}
		waiting, err := order.CountWaiting(ctx, tx, ids(who))
		if err != nil {
			return err
		}
		if waiting > 0 {
			return fault.New(fault.Conflict,
				"There’s an order still to collect. Once it’s collected or cancelled, everything can be deleted.")
		}
		// The list comes first: a list without an erasure is replayed into one, an erasure without a list comes back
		// with the next backup.
		known, err := knownBy(ctx, tx, person)
		if err != nil {
			return err
		}
		if err := list(store, who, known); err != nil {
			return err
		}
		copies, err = erase(ctx, tx, person, ids(who), by)
		return err
	})
	for _, key := range copies {
		err = errors.Join(err, store.Remove(key))
	}
	return err
}

func ids(who []customer.CreatedAt) []int64 {
	all := make([]int64, len(who))
	for i, c := range who {
		all[i] = c.ID
	}
	return all
}

// knownBy are the identities of a person as the list may keep them.
func knownBy(ctx context.Context, tx pgx.Tx, person int64) (hashes []string, err error) {
	key, err := location.ForgetKey(ctx, tx)
	if err != nil {
		return nil, err
	}
	identities, err := customer.Named(ctx, tx, person)
	for _, i := range identities {
		hashes = append(hashes, hash(key, i.Kind, i.Value))
	}
	return hashes, err
}

func hash(key, kind, value string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(kind + ":" + value))
	return hex.EncodeToString(mac.Sum(nil))
}

// ErasureList answers whether an identity was somebody's who asked to be forgotten.
func ErasureList(ctx context.Context, db pg.DB, store *files.Store) (func(kind, value string) bool, error) {
	key, err := location.ForgetKey(ctx, db)
	if err != nil {
		return nil, err
	}
	names, err := store.List(erasures)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, name := range names {
		entry, err := read(store, name)
		if err != nil {
			return nil, err
		}
		for _, h := range entry.Known {
			known[h] = true
		}
	}
	return func(kind, value string) bool { return known[hash(key, kind, value)] }, nil
}

func list(store *files.Store, who []customer.CreatedAt, known []string) error {
	entry := forgotten{At: time.Now().UTC(), Known: known}
	for _, c := range who {
		entry.Customers = append(entry.Customers, forgottenCustomer{c.ID, c.CreatedAt.UTC()})
	}
	body, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	return store.Put(erasures+strings.ToLower(secret.NewToken())+".json", bytes.NewReader(body))
}

// erase has every noun forget, in the order in which rows are locked.
func erase(ctx context.Context, tx pgx.Tx, person int64, all []int64, by staff.Entry) (copies []string, err error) {
	if err := order.DropDraftsOf(ctx, tx, all); err != nil {
		return nil, err
	}
	if err := cart.Forget(ctx, tx, all); err != nil {
		return nil, err
	}
	// While it can still be told which orders and gift cards are theirs.
	if err := staff.ForgetReasons(ctx, tx, all); err != nil {
		return nil, err
	}
	for _, forget := range []func(context.Context, pgx.Tx, []int64) error{order.Forget, giftcard.Forget,
		cart.ForgetNotes} {
		if err := forget(ctx, tx, all); err != nil {
			return nil, err
		}
	}
	if _, err := session.EndShopper(ctx, tx, person, ""); err != nil {
		return nil, err
	}
	if copies, err = customer.ForgetAll(ctx, tx, person, all); err != nil {
		return nil, err
	}
	by.Action, by.Subject, by.SubjectID = "customer.erased", "customer", person
	if err := staff.Log(ctx, tx, by); err != nil {
		return nil, err
	}
	return copies, live.Notify(ctx, tx, live.Customer(person))
}

// ReapplyErasures forgets again whoever is on the list: after a backup was restored. It answers how many it forgot.
func ReapplyErasures(ctx context.Context, db pg.DB, store *files.Store) (n int, err error) {
	keys, err := store.List(erasures)
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		entry, err := read(store, key)
		if err != nil {
			return n, err
		}
		for _, c := range entry.Customers {
			there, err := customer.Exists(ctx, db, c.ID, c.CreatedAt)
			if err != nil {
				return n, err
			}
			if !there {
				continue
			}
			copies := []string{}
			err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
				copies, err = erase(ctx, tx, c.ID, []int64{c.ID}, staff.Entry{Reason: "replayed after a restore"})
				return err
			})
			if err != nil {
				return n, err
			}
			for _, key := range copies {
				if err := store.Remove(key); err != nil {
					return n, err
				}
			}
			n++
		}
	}
	return n, nil
}

func read(store *files.Store, key string) (entry forgotten, err error) {
	file, err := store.Open(key)
	if err != nil {
		return entry, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return entry, json.NewDecoder(file).Decode(&entry)
}

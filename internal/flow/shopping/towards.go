package shopping

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Codes are tried by whoever holds a cart, and by whoever sits behind an address: both are counted. Right ones are given back.
var (
	perCart    = limit.Rule{Max: 10, Window: time.Minute}
	perAddress = limit.Rule{Max: 60, Window: 10 * time.Minute}
)

// Trier is who tries a code, and from where.
type Trier struct {
	Person  int64
	Address string
}

// Strangers are counted by their address, as strictly as anybody.
func (t Trier) take(ctx context.Context, db pg.DB, what string) error {
	if t.Person == 0 {
		return limit.Take(ctx, db, what+":stranger:"+t.Address, perCart)
	}
	if err := limit.Take(ctx, db, what+":from:"+t.Address, perAddress); err != nil {
		return err
	}
	return limit.Take(ctx, db, what+":by:"+customer.Scope(t.Person), perCart)
}

func (t Trier) good(ctx context.Context, db pg.DB, what string) {
	// Should this fail, a try is lost for a minute.
	if t.Person == 0 {
		_ = limit.GiveBack(ctx, db, what+":stranger:"+t.Address)
		return
	}
	_ = limit.GiveBack(ctx, db, what+":from:"+t.Address)
	_ = limit.GiveBack(ctx, db, what+":by:"+customer.Scope(t.Person))
}

// UseCode keeps a promotion's code with the open cart. One sentence for every reason why it is none.
func UseCode(ctx context.Context, db pg.DB, t Trier, typed string) error {
	if err := t.take(ctx, db, "code"); err != nil {
		return err
	}
	code, ok := promotion.ReadCode(typed)
	if ok {
		var err error
		if ok, err = promotion.Opens(ctx, db, code, t.Person); err != nil {
			return err
		}
	}
	if !ok {
		return fault.Field("code", "That code isn’t valid, or has expired.")
	}
	t.good(ctx, db, "code")
	return cart.AddCode(ctx, db, t.Person, code)
}

// Card looks a gift card up for whoever shows its code. One sentence for every reason why it is none.
func Card(ctx context.Context, db pg.DB, t Trier, typed, currency string) (*giftcard.Card, error) {
	if err := t.take(ctx, db, "gift"); err != nil {
		return nil, err
	}
	card, err := giftcard.Find(ctx, db, typed, currency)
	if err != nil {
		return nil, err
	}
	if card == nil {
		return nil, fault.Field("gift_card", "We can’t find a gift card with that code. Check it and try again.")
	}
	t.good(ctx, db, "gift")
	return card, nil
}

// UseCard puts a gift card towards the open cart.
func UseCard(ctx context.Context, db pg.DB, t Trier, typed, currency string) error {
	card, err := Card(ctx, db, t, typed, currency)
	if err != nil {
		return err
	}
	return cart.AddGiftCard(ctx, db, t.Person, card.ID)
}

// TakeShared puts what is in somebody's shared cart into the own one. The answer is a new cookie, or "".
func TakeShared(ctx context.Context, db pg.DB, w Who, word string) (newToken string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		from, owner, err := cart.Shared(ctx, tx, word)
		if err != nil {
			return err
		}
		if from == 0 {
			return fault.New(fault.NotFound, "This cart no longer exists.")
		}
		return w.fill(ctx, tx, &newToken, func(id, into int64) error {
			if id == owner {
				return nil
			}
			return cart.Copy(ctx, tx, from, into, w.Channel)
		})
	})
	return newToken, err
}

// OrderAgain puts what an order was made of into the own cart, as far as it is still sold.
func OrderAgain(ctx context.Context, db pg.DB, w Who, orderID int64) (newToken string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return w.fill(ctx, tx, &newToken, func(_, into int64) error { return cart.Again(ctx, tx, orderID, into, w.Channel) })
	})
	return newToken, err
}

func (w Who) fill(ctx context.Context, tx pgx.Tx, newToken *string, with func(id, into int64) error) error {
	id, token, err := w.guest(ctx, tx)
	if err != nil {
		return err
	}
	*newToken = token
	into, err := cart.Open(ctx, tx, id, 0, w.Channel)
	if err != nil {
		return err
	}
	if err := with(id, into); err != nil {
		return err
	}
	return live.Notify(ctx, tx, live.Customer(id))
}

// WalkIn makes a customer without a name, with an open cart at a counter: whoever buys there may stay unknown.
func WalkIn(ctx context.Context, db pg.DB, locationID int64) (id int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if id, err = customer.Create(ctx, tx, "", "en", "counter"); err != nil {
			return err
		}
		_, err = cart.Open(ctx, tx, id, locationID, "counter")
		return err
	})
	return id, err
}

// Attach gives a sale in progress to a customer: its lines join their cart. A sale that is somebody's already is not given away.
func Attach(ctx context.Context, db pg.DB, from, into int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		anonymous, err := customer.Nobody(ctx, tx, from)
		if err != nil {
			return err
		}
		if !anonymous || from == into {
			return fault.New(fault.Conflict, "This sale already belongs to a customer. Start a new one.")
		}
		if _, err := cart.Join(ctx, tx, from, into, "counter"); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(into))
	})
}

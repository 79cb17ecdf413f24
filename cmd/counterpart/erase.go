package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/files"
)

type erase struct {
	Replay bool `help:"Replay the list of erasures kept in the data folder, so a restored backup doesn't bring erased customers back." required:""`
}

func (erase) Run(ctx context.Context) (err error) {
	c, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := files.Open(filepath.Join(c.Data, "files"))
	if err != nil {
		return err
	}
	n, err := privacy.ReapplyErasures(ctx, db.Pool, store)
	if err != nil {
		return err
	}
	fmt.Printf("%d customers were erased again.\n", n)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"counterpart/internal/files"
	"counterpart/internal/privacy"
)

type erase struct {
	Replay bool `help:"Go through the list of erasures that is kept beside the pictures, and do them again where a restored backup undid them." required:""`
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
	n, err := privacy.Replay(ctx, db.Pool, store)
	if err != nil {
		return err
	}
	fmt.Printf("%d customers were forgotten again.\n", n)
	return nil
}

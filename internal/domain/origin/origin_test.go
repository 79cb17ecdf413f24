package origin_test

import (
	"context"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg/pgtest"
)

var ctx = context.Background()

// A verb that writes a channel's name works for that channel only. phone and scan are other words too: an identity, a
// medium, a proof.
func TestNoChannelIsNamedOutsideThisPackage(t *testing.T) {
	var names []string
	for _, c := range origin.All {
		if c != origin.Phone && c != origin.Scan {
			names = append(names, string(c))
		}
	}
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, _ := filepath.Rel(root, path)
		if d.IsDir() && (below == "proof" || below == filepath.Join("domain", "origin")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, literal := range literals(source) {
			for _, name := range names {
				if literal == name || strings.Contains(literal, "'"+name+"'") {
					t.Errorf("%s names the channel %q", below, name)
				}
			}
		}
		return nil
	}))
}

func literals(source []byte) (all []string) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(source)), source, nil, 0)
	for {
		_, kind, text := s.Scan()
		if kind == token.EOF {
			return all
		}
		if kind == token.STRING {
			if value, err := strconv.Unquote(text); err == nil {
				all = append(all, value)
			}
		}
	}
}

func TestEveryChannelColumnHoldsChannelsOnly(t *testing.T) {
	tx := pgtest.Tx(t)
	for _, c := range origin.All {
		var known bool
		require.NoError(t, tx.QueryRow(ctx, `SELECT is_channel($1)`, c).Scan(&known))
		require.True(t, known, "%s", c)
	}
	var known bool
	require.NoError(t, tx.QueryRow(ctx, `SELECT is_channel('fax')`).Scan(&known))
	require.False(t, known)
	rows, err := tx.Query(ctx, `
		SELECT c.table_name || '.' || c.column_name
		FROM information_schema.columns c
		WHERE c.table_schema = 'public' AND c.column_name = 'channel'
			AND NOT EXISTS (
				SELECT
				FROM pg_constraint
				WHERE conrelid = format('public.%I', c.table_name)::regclass AND contype = 'c' AND convalidated
					AND pg_get_constraintdef(oid) LIKE '%is_channel(' || c.column_name || ')%')`)
	require.NoError(t, err)
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	slices.Sort(open)
	require.Empty(t, open, "columns that hold any word")
}

// Package migrations is the shop's database as numbered steps: 1 to 8 are the job queue's own, the rest are ours.
package migrations

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

//go:embed *.sql
var ours embed.FS

// Role says what the running server may do. It is run after every migration, and may be run again.
//
//go:embed role.sql
var Role string

// Latest is the version a server of this build needs: the highest number in the folder.
func Latest() uint {
	names := upFiles()
	var version uint
	if _, err := fmt.Sscanf(names[len(names)-1], "%d_", &version); err != nil {
		panic(err) // A file without a number is a mistake of ours that every test meets at once.
	}
	return version
}

// Fingerprint names this schema: a test's template database carries it, so a changed file makes a new template.
func Fingerprint() string {
	hash := sha256.New()
	for _, name := range upFiles() {
		body, err := ours.ReadFile(name)
		if err != nil {
			panic(err)
		}
		hash.Write(body)
	}
	hash.Write([]byte(Role))
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// Source is what golang-migrate reads. River's files come from its own module, so that one chain holds both.
func Source() (source.Driver, error) {
	river, err := fs.Sub((&riverpgxv5.Driver{}).GetMigrationFS("main"), "migration/main")
	if err != nil {
		return nil, fmt.Errorf("find River's migrations: %w", err)
	}
	return iofs.New(chain{river, ours}, ".")
}

func upFiles() []string {
	names, err := fs.Glob(ours, "*.up.sql")
	if err != nil {
		panic(err)
	}
	slices.Sort(names)
	return names
}

// A chain shows the files of several folders as one.
type chain []fs.FS

// River leaves room for a schema's name, also inside string literals; without one the search path decides.
var schemaTemplate = []byte("/* TEMPLATE: schema */")

func (c chain) Open(name string) (fs.File, error) {
	for _, part := range c {
		file, err := part.Open(name)
		if err != nil {
			continue
		}
		if entry, err := file.Stat(); err != nil || entry.IsDir() {
			return file, err
		}
		defer file.Close()
		body, err := io.ReadAll(file)
		return plain{file, bytes.NewReader(bytes.ReplaceAll(body, schemaTemplate, nil))}, err
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// A plain file has been read and closed already.
type plain struct {
	fs.File
	body io.Reader
}

func (p plain) Read(b []byte) (int, error) { return p.body.Read(b) }
func (p plain) Close() error               { return nil }

func (c chain) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, part := range c {
		entries, err := fs.ReadDir(part, name)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}

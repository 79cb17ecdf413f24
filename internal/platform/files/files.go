// Package files keeps what is too large for the database, or must outlive it: pictures, copies that were asked for, the
// list of who was forgotten.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Store is a folder that cannot be left: a key never reaches outside it.
type Store struct{ root *os.Root }

// Open makes the folder where it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Store{root}, nil
}

var keyShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{3,120}$`)

// ValidKey says whether a key can exist: lower-case letters, digits, dots, dashes.
func ValidKey(key string) bool { return keyShape.MatchString(key) }

// Put writes a file whole or not at all. Keys are named by content, so one that is there already is left alone.
func (s *Store) Put(key string, content io.Reader) error {
	if !ValidKey(key) {
		return fmt.Errorf("files: no key: %q", key)
	}
	name := path(key)
	if _, err := s.root.Stat(name); err == nil {
		return nil
	}
	if err := s.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	temporary := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	file, err := s.root.Create(temporary)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		return errors.Join(err, file.Close(), s.root.Remove(temporary))
	}
	if err := file.Close(); err != nil {
		return errors.Join(err, s.root.Remove(temporary))
	}
	return s.root.Rename(temporary, name)
}

// Open gives the file, or fs.ErrNotExist.
func (s *Store) Open(key string) (*os.File, error) {
	if !ValidKey(key) {
		return nil, fs.ErrNotExist
	}
	return s.root.Open(path(key))
}

// path spreads keys over folders by their first two letters.
func path(key string) string { return filepath.Join(key[:2], key) }

// Remove forgets a file; one that is not there is forgotten already.
func (s *Store) Remove(key string) error {
	if !ValidKey(key) {
		return fmt.Errorf("no file can have the key %q", key)
	}
	err := s.root.Remove(path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// List gives the keys that begin with a prefix of at least two letters, in order.
func (s *Store) List(prefix string) (keys []string, err error) {
	entries, err := fs.ReadDir(s.root.FS(), prefix[:2])
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) && ValidKey(entry.Name()) {
			keys = append(keys, entry.Name())
		}
	}
	return keys, err
}

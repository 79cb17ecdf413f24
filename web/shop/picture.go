package shop

import (
	"net/http"
	"path"
	"strings"

	"counterpart/internal/platform/files"
)

// Pictures serves the drawn sizes: named by content, so for ever.
func Pictures(store *files.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := path.Base(r.URL.Path)
		if strings.HasPrefix(key, "original-") || !strings.HasSuffix(key, ".jpg") {
			http.NotFound(w, r)
			return
		}
		file, err := store.Open(key)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, key, info.ModTime(), file)
	}
}

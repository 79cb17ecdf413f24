package text

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/leonelquinteros/gotext"
)

// One PO file per language, named by its tag. The key is the sentence in English; a sentence without a translation is
// said in English.
//
//go:embed po
var files embed.FS

var catalogs = sync.OnceValue(func() map[string]catalog {
	entries, err := files.ReadDir("po")
	if err != nil {
		panic(err) // It is embedded.
	}
	all := map[string]catalog{}
	for _, entry := range entries {
		language, ok := strings.CutSuffix(entry.Name(), ".po")
		if !ok {
			continue
		}
		source, err := files.ReadFile(path.Join("po", entry.Name()))
		if err != nil {
			panic(fmt.Errorf("read the sentences of %s: %w", language, err))
		}
		po := gotext.NewPo()
		po.Parse(source)
		all[language] = catalog{po, po.GetDomain().GetTranslations()}
	}
	return all
})

type catalog struct {
	po   *gotext.Po
	said map[string]*gotext.Translation
}

// sentence is a message's words in a language, with its arguments still to be put in.
func sentence(m Message, language string) string {
	if c, ok := catalogs()[language]; ok {
		if m.Plural != "" {
			return c.po.GetN(m.Key, m.Plural, m.N)
		}
		if said, ok := c.said[m.Key]; ok && said.IsTranslated() {
			return said.Get()
		}
		return m.Key
	}
	words := m.Key
	if m.Plural != "" && m.N != 1 {
		words = m.Plural
	}
	if language == Pseudo {
		return pseudo(words)
	}
	return words
}

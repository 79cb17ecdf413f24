package text

import (
	"embed"
	"fmt"
	"path"
	"slices"
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
		all[language] = catalog{po, po.GetDomain().GetTranslations(), po.GetDomain().GetCtxTranslations()}
	}
	return all
})

// untranslated are the sentences that were asked for in a language and are not there.
var untranslated sync.Map

// Untranslated are the sentences that were said in English since the process began although another language was asked
// for.
func Untranslated(language string) (all []string) {
	untranslated.Range(func(key, _ any) bool {
		if of, sentence, _ := strings.Cut(key.(string), "\x00"); of == language {
			all = append(all, sentence)
		}
		return true
	})
	slices.Sort(all)
	return all
}

type catalog struct {
	po     *gotext.Po
	said   map[string]*gotext.Translation
	senses map[string]map[string]*gotext.Translation // a sentence by its sense, which PO files call a context
}

// sentence is a message's words in a language, with its arguments still to be put in.
func sentence(m Message, language string) string {
	if c, ok := catalogs()[language]; ok {
		said, ok := c.said[m.Key]
		if m.Sense != "" {
			said, ok = c.senses[m.Sense][m.Key]
		}
		switch {
		case !ok || !said.IsTranslated() && m.Plural == "":
			untranslated.Store(language+"\x00"+m.Key, true)
			if m.Plural != "" && m.N != 1 {
				return m.Plural
			}
			return m.Key
		case m.Plural != "":
			return c.po.GetN(m.Key, m.Plural, m.N)
		}
		return said.Get()
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

package text

import (
	"strings"
	"unicode"
)

// Pseudo is a language for developers: English with accents, in brackets and 40 % longer, as translations are. What is
// plain on a page in it is not in the text layer, and what breaks in it breaks in German.
const Pseudo = "qps"

var accents = strings.NewReplacer("a", "á", "b", "ƀ", "c", "ç", "d", "ð", "e", "é", "g", "ğ", "h", "ĥ", "i", "í", "j",
	"ĵ",
	"k", "ķ", "l", "ļ", "n", "ñ", "o", "ö", "r", "ŕ", "s", "š", "t", "ţ", "u", "ü", "w", "ŵ", "y", "ý", "z", "ž",
	"A", "Å", "B", "Ɓ", "C", "Ç", "D", "Ð", "E", "É", "G", "Ğ", "H", "Ĥ", "I", "Î", "J", "Ĵ", "K", "Ķ", "L", "Ļ",
	"N", "Ñ", "O", "Ö", "R", "Ŕ", "S", "Š", "T", "Ţ", "U", "Û", "W", "Ŵ", "Y", "Ý", "Z", "Ž")

// pseudo leaves the names of arguments as they are.
func pseudo(sentence string) string {
	var out strings.Builder
	out.WriteString("[")
	letters := 0
	for rest := sentence; rest != ""; {
		head, tail, found := strings.Cut(rest, "{")
		letters += strings.Count(head, "") - 1
		out.WriteString(accents.Replace(head))
		if !found {
			break
		}
		name, after, closed := strings.Cut(tail, "}")
		if !closed {
			out.WriteString("{" + tail)
			break
		}
		out.WriteString("{" + name + "}")
		rest = after
	}
	// Words, so that a line can break where a translation's would.
	for more := (letters*2 + 4) / 5; more > 0; more -= 4 {
		out.WriteString(" ~~~"[:min(more+1, 4)])
	}
	out.WriteString("]")
	return out.String()
}

// Plain says whether words have letters that the pseudo-language would not have left as they are.
func Plain(words string) bool {
	return strings.ContainsFunc(words, func(r rune) bool {
		return r < unicode.MaxASCII && unicode.IsLetter(r) &&
			accents.Replace(string(r)) != string(r)
	})
}

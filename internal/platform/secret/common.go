package secret

import (
	"strings"
	"unicode"
)

// What people type when they are asked for a long password and do not want one: these, one after another.
var commonWords = strings.Fields(`
	password passwort haslo heslo parole motdepasse passw0rd pass word admin administrator root user login letmein welcome hello test testing guest master default secret changeme
	qwerty qwertz azerty qwertyuiop asdfghjkl zxcvbnm asdf zxcv qwer qazwsx wsxedc poiuytrewq lkjhgfdsa mnbvcxz йцукен
	abc abcd abcdef abcdefg abcdefgh abcdefghijklmnopqrstuvwxyz
	iloveyou love lovely loveme sunshine princess prince dragon monkey football baseball basketball soccer hockey superman batman spiderman pokemon starwars
	shadow michael jordan jessica ashley charlie thomas daniel andrew joshua matthew george freedom whatever trustno1 trustnoone flower cheese computer internet
	summer winter spring autumn january february march april may june july august september october november december monday friday sunday
	january london england britain arsenal chelsea liverpool manchester united city latvia riga poland warsaw germany berlin america newyork
	shop store counter till counterpart mypassword thepassword mysecret correcthorsebatterystaple thisismypassword nopassword letmeinplease
	access ninja mustang killer hunter buster tigger ginger pepper cookie banana orange apple samsung nokia google facebook twitter instagram amazon
	one two three four five six seven eight nine zero ten my is the and a i you me to in for`)

// Common says whether a password is made of nothing but common words, runs and repeats: there are fewer of those than
// of words in a dictionary.
func Common(password string) bool {
	plain := []rune(strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, password)))
	return len(plain) == 0 || distinct(plain) < 5 || repeated(plain) || tiled(plain) ||
		tiled([]rune(unleet.Replace(string(plain))))
}

var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t")

func distinct(runes []rune) int {
	seen := map[rune]bool{}
	for _, r := range runes {
		seen[r] = true
	}
	return len(seen)
}

// repeated says whether it is one unit again and again: the last may be cut short.
func repeated(runes []rune) bool {
	for size := 1; size <= len(runes)/2; size++ {
		same := true
		for i := size; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-size]
		}
		if same {
			return true
		}
	}
	return false
}

// tiled says whether common words and runs of neighbours (4567, dcba) cover it from end to end, few of them: many small
// words are a sentence.
func tiled(runes []rune) bool {
	const never = 1 << 20
	fewest := make([]int, len(runes)+1)
	for i := range runes {
		fewest[i+1] = never
	}
	for i := range runes {
		if fewest[i] == never {
			continue
		}
		rest := string(runes[i:])
		for _, word := range commonWords {
			if strings.HasPrefix(rest, word) {
				end := i + len([]rune(word))
				fewest[end] = min(fewest[end], fewest[i]+1)
			}
		}
		for end := i + 1; end <= len(runes); end++ {
			if run(runes[i:end]) {
				fewest[end] = min(fewest[end], fewest[i]+1)
			} else if end > i+1 {
				break
			}
		}
	}
	return fewest[len(runes)] <= 4
}

// run is figures or letters in order, up, down or standing still; one figure alone is a run, one letter alone is not.
func run(runes []rune) bool {
	if len(runes) == 1 {
		return unicode.IsDigit(runes[0])
	}
	step := runes[1] - runes[0]
	if step < -1 || step > 1 {
		return runes[0] == '9' && runes[1] == '0' && len(runes) == 2
	}
	for i := 2; i < len(runes); i++ {
		if d := runes[i] - runes[i-1]; d != step && !(runes[i-1] == '9' && runes[i] == '0') &&
			!(runes[i-1] == '0' && runes[i] == '1') {
			return false
		}
	}
	return true
}

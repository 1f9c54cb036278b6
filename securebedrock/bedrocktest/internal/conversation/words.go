package conversation

import (
	"strings"
	"unicode"
)

// WordsPerDelta is the number of words in one delta of a streamed answer.
const WordsPerDelta = 3

// FirstWords cuts text after n words, and reports whether text had more.
func FirstWords(text string, n int) (string, bool) {
	pieces := Split(text, 1)
	if len(pieces) <= n {
		return text, false
	}
	return strings.TrimRightFunc(strings.Join(pieces[:max(n, 0)], ""), unicode.IsSpace), true
}

// Split cuts text into pieces of n words, each with the space that follows. The pieces
// joined are the text.
func Split(text string, n int) []string {
	var pieces []string
	start, words, space := 0, 0, false
	for i, c := range text {
		if unicode.IsSpace(c) {
			space = true
			continue
		}
		if space {
			space = false
			if words++; words == n {
				pieces = append(pieces, text[start:i])
				start, words = i, 0
			}
		}
	}
	if start < len(text) {
		pieces = append(pieces, text[start:])
	}
	return pieces
}

// Tokens counts the words of a text.
func Tokens(text string) int { return len(strings.Fields(text)) }

// Share returns the share of words that are among others, and 1 where there are no
// words.
func Share(words, others []string) float64 {
	have := make(map[string]bool, len(others))
	for _, word := range others {
		have[word] = true
	}
	n := 0
	for _, word := range words {
		if have[word] {
			n++
		}
	}
	if len(words) == 0 {
		return 1
	}
	return float64(n) / float64(len(words))
}

// WordsIn returns the words of a text in lower case, without punctuation.
func WordsIn(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

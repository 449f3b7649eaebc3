couler 1

/// Whether `text` mentions one of `words`, in capitals or not, also as a part of a longer word.
fn mentions(text: string, words: list<string>) -> bool =
    any(for word in words { contains(lower(text), lower(word)) })

/// Whether `text` holds `word` as a whole word, in capitals or not.
fn has_word(text: string, word: string) -> bool = lower(word) in words(lower(text))

/// The words of `text`: runs of letters, digits and apostrophes.
fn words(text: string) -> list<string> = find_all(text, r"[\p{L}\p{N}']+")

/// How many words `text` has.
fn word_count(text: string) -> int = length(words(text))

/// Whether `text` holds nothing but white space.
fn is_blank(text: string) -> bool = trim(text) == ""

/// `text` in small letters, with a hyphen for whatever is no letter a-z or digit: fit for a file
/// name or a label. `"Spam & Ham, v2"` becomes `"spam-ham-v2"`.
fn slug(text: string) -> string =
    replace_all(replace_all(lower(text), r"[^a-z0-9]+", "-"), r"^-|-$", "")

/// `text` with each run of white space made one space, and none at its ends.
fn squeeze(text: string) -> string = join(split(text), " ")

/// `text` with its first letter a capital.
fn capitalize(text: string) -> string = upper(substring(text, 0, 1)) + substring(text, 1)

/// `text` cut to at most `width` characters, `mark` included where something was cut.
fn shorten(text: string, width: int, mark: string = "…") -> string =
    if length(text) <= width {
        text
    } else {
        substring(text, 0, max(0, width - length(mark))) + mark
    }

/// What stands before the first `mark`; all of `text` where there is none.
fn before(text: string, mark: string) -> string = first(split(text, mark)) ?? text

/// What stands behind the first `mark`; nothing where there is none.
fn beyond(text: string, mark: string) -> string = join(drop(split(text, mark), 1), mark)

/// `text` without `prefix` at its start.
fn without_prefix(text: string, prefix: string) -> string =
    if starts_with(text, prefix) { substring(text, length(prefix)) } else { text }

/// `text` without `suffix` at its end.
fn without_suffix(text: string, suffix: string) -> string =
    if ends_with(text, suffix) {
        substring(text, 0, length(text) - length(suffix))
    } else {
        text
    }

/// `text` with `by` before each of its lines.
fn indent(text: string, by: string = "    ") -> string =
    join(for line in lines(text) { by + line }, "\n")

/// `text` with spaces on both sides up to `width`, the odd one behind it.
fn center(text: string, width: int) -> string =
    pad_right(pad_left(text, length(text) + max(0, width - length(text)) div 2), width)

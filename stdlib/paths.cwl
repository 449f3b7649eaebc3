couler 1

/// `folder` and `name` with one slash between them; `name` alone where it begins with a slash or
/// `folder` is empty.
fn within(folder: string, name: string) -> string =
    if folder == "" or starts_with(name, "/") {
        name
    } else if ends_with(folder, "/") {
        folder + name
    } else {
        "{folder}/{name}"
    }

/// `path` with `extension` (such as `".csv"`) in place of its own.
fn with_extension(path: string, extension: string) -> string =
    within(parent(path), stem(path) + extension)

/// Whether `path` ends in `wanted` (such as `".csv"`), in capitals or not.
fn has_extension(path: string, wanted: string) -> bool =
    ends_with(lower(basename(path)), lower(wanted))

/// The parts of `path` between its slashes.
fn parts(path: string) -> list<string> = find_all(path, r"[^/]+")

/// The name of part `index` of `count`, such as `"part-00003-of-00010"`: names in the order of the
/// parts.
fn part_name(index: int, count: int, base: string = "part") -> string =
    "{base}-{_five(index)}-of-{_five(count)}"

fn _five(n: int) -> string = pad_left(string(n), 5, "0")

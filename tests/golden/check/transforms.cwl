couler 1

enum Class { ham, spam }
schema Flight {
    date:    timestamp
    carrier: string
    delay:   float?
    dist:    int
    tags:    list<string>
    class:   Class
}
schema Airport { code: string, city: string, dist: float }
task step(x: int) -> (y: int = stdout) { run ["echo", x] }
fn size(f: Flight) -> int = f.dist
volatile task show(rows: table<Flight>) { run ["cat", rows] }

transform nobody() { limit 3 }                       //! CW0414 has no parameter
transform number(x: int) { limit 3 }               //! CW0414 has a first parameter of type `int`
transform mixed(f: Flight, others: table<Airport>) {  //! CW0316 a parameter of a transform of single rows
    where f.dist > 0
}
transform row(f: Flight) {
    where f.distt > 0                              //! CW0219 did you mean `dist`?
    where dist > 0                                 //! CW0201 write `f.dist`
    where f.dist                                   //! CW0301 expected `bool`, found `int`
    ...f without dat                               //! CW0219 did you mean `date`?
    ...g                                           //! CW0201 unknown row `g`
    n = sum(f.dist)                                //! CW0320 and this is one row
    s = step(f.dist).y                             //! CW0403 cannot be called in a transform
    g = glob("*.csv")                              //! CW0403 function `glob`
    nothing = none                                 //! CW0316 a column cannot be of type `none`
    x = f.dist
    x = f.dist                                     //! CW0202 `x` is declared twice
    r = f                                          //! CW0316 a column cannot be of type `Flight`
    text = if f.delay > 3.0 { "a" } else { "b" }   //! CW0301 count none as false
    size = size(f)
}
transform groups(rows: table<Flight>, least: int) {
    where count() > 3                              //! CW0320 there are no groups yet
    d = rows.delay
    group by rows.carrier, year(rows.date), rows.tags  //! CW0324 give it a name //! CW0323 grouped by a `list<string>`
    n = count()
    late = max(d)
    a = rows.dist                                  //! CW0321 make it a key
    b = rows.carrier
    c = d                                          //! CW0321 `d` is not there after `group by`
    e = sum(max(rows.dist))                        //! CW0320 and here are aggregates already
    f = sum(n)                                     //! CW0320 and `n` is made of groups
    g = sum(rows.carrier)                          //! CW0303 `sum` does not take `string`
    n = 3                                          //! CW0202 `n` is declared twice
    q = quantile(rows.dist, 1.5)                   //! CW0427 must be from 0 to 1
    p = quantile(rows.dist, rows.delay)            //! CW0420 which quantile must be known at compile time
    k = for i in 0..3 { sum(rows.dist * i) }       //! CW0320 and `i` has a value for each item
    ...rows                                        //! CW0415 cannot follow groups
    group by rows.class                            //! CW0415 it stands once
    limit rows.dist                                //! CW0415 `limit` is one number for the whole table
}
transform whole(rows: table<Flight>) {
    x = rows.dist
    total = sum(rows.dist) + rows.dist             //! CW0321 take its first value
    y = x                                          //! CW0321 `x` is not there after an aggregate
}
transform kept(rows: table<Flight>) {
    ...rows
    n = count()                                    //! CW0415 `count()` cannot follow `...`
}
transform sorted(rows: table<Flight>) {
    order by rows.tags, rows.class                 //! CW0323 by a `list<string>`
    limit "3"                                      //! CW0301 write `3`
    limit -1                                       //! CW0427 must not be negative
    carrier = rows.carrier
    distinct
    where rows.dist > 3                            //! CW0321 keeps only these
    ...rows                                        //! CW0415 cannot follow `distinct`
}
transform joined(rows: table<Flight>, airports: table<Airport>, more: table<Airport>) {
    where airports.city == "x"                     //! CW0416 are not joined here
    join airport on rows.carrier == airports.code  //! CW0201 write `airports`
    join airports on rows.carrier == airports.code and rows.dist > 3  //! CW0417 does not compare
    join airports on rows.carrier == airports.code //! CW0415 which is there already
    semi join more on more.code == rows.carrier
    ...rows
    ...airports                                    //! CW0322 two columns `dist`
    m = more.city                                  //! CW0416 are not joined here
}
transform all(rows: table<Flight>, airports: table<Airport>) { //! CW0322 say which columns there are
    join airports on rows.dist == airports.dist
}
transform ring(r: table<rung>) { limit 1 }
transform rung(r: ring) { where true }             //! CW0319 the row type of `ring` depends on itself
fn bad(f: table<Flight>) = 3                       //! CW0316 a parameter of a `fn`
task makes() -> (rows: table<Flight>) { run sh "true" } //! CW0316 take a `file<csv>`
workflow main(flights: file<csv>, rows: table<Flight>) -> (a: table<row>, b: file) { //! CW0316 take a `file<csv>`
    let t = read<Flight>(flights, on_bad: dorp)    //! CW0201 write `drop`
    let u = read(flights)                          //! CW0211 lacks the type of its rows
    let v = read<int>(flights)                     //! CW0316 row of a table
    let w = read<Flight>(flights, onbad: drop)     //! CW0210 did you mean `on_bad`?
    let x = t |> show                              //! CW0418 found task `show`
    let y = t |> groups(lest: 3)                   //! CW0210 did you mean `least`?
    let z = t |> joined(flights, rows: t)          //! CW0212 it is what stands before `|>` //! CW0211 lacks `more
    let a = t |> groups                            //! CW0211 lacks `least: int`
    let b = write<cvs>(t, "x.csv")                 //! CW0201 write `csv`
    let c = write<csv>(t, "a/b.csv")               //! CW0443 is not the name of a file
    let d = write<csv>(flights, "x.csv")           //! CW0301 expected `table<…>`
    let e = t |> sorted |> row                     //! CW0301 the rows are of different types
    show(t)
    return (a: flights |> row, b: t)
}
test "rows" {
    expect row([]) == []
    expect groups([], 3)[0].n == 1
    expect read<Flight>("x.csv") == row([])        //! CW0403 a test takes its rows as a list
    expect row(3) == none                          //! CW0301 expected `Flight`, found `int`
}

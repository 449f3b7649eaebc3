// What bench/run.py --only tables measures. The peers' versions are in bench/table_peers.py.
couler 1

schema Trip {
    miles:   float
    fare:    float?
    tip:     float?
    riders:  int
    seconds: int
    place:   int
    city:    string
}

schema Place {
    id:   int
    lat:  float
    name: string
}

schema Text {
    zone:  string
    note:  string?
    miles: float
    at:    timestamp
}

/// Arithmetic with nulls.
transform arithmetic(t: Trip) {
    total = (t.fare + t.tip) * 1.08
    rate  = sqrt(total / t.miles)
    load  = t.riders * t.seconds + 60
}

/// Classes by nested conditions.
transform bucketise(t: Trip) {
    class  = if t.miles < 3.5 { 0 } else if t.miles < 7.0 { 1 } else if t.miles < 10.5 { 2 } else if t.miles < 14.0 { 3 } else if t.miles < 17.5 { 4 } else if t.miles < 21.0 { 5 } else if t.miles < 24.5 { 6 } else if t.miles < 28.0 { 7 } else { 8 }
    weight = if t.riders > 2 { t.miles * 1.5 } else { t.miles + 2.0 }
}

/// Texts kept by a regular expression, then cleaned.
transform clean(t: Text) {
    where matches(t.note, r"[0-9]{4} Del")
    note = lower(trim(t.note))
}

/// Features of texts and numbers.
transform features(t: Text) {
    where t.miles > 5.0 and contains(t.note, "Delayed")
    length = length(t.note)
    miles  = t.miles * (if starts_with(t.zone, "us-") { 1.0 } else { 0.5 })
    hour   = hour(t.at)
}

transform by_int(rows: table<Trip>) {
    group by rows.place
    n     = count()
    miles = sum(rows.miles)
    top   = max(rows.seconds)
}

transform by_string(rows: table<Trip>) {
    group by rows.city
    n     = count()
    miles = sum(rows.miles)
    top   = max(rows.seconds)
}

transform joined(rows: table<Trip>, places: table<Place>) {
    join places on rows.place == places.id
    place = rows.place
    miles = rows.miles
    name  = places.name
    lat   = places.lat
}

workflow w_arithmetic(trips: file<arrow>) -> (out: table<arithmetic>) {
    return (out: read<Trip>(trips) |> arithmetic)
}
workflow w_bucketise(trips: file<arrow>) -> (out: table<bucketise>) {
    return (out: read<Trip>(trips) |> bucketise)
}
workflow w_clean(texts: file<arrow>) -> (out: table<clean>) {
    return (out: read<Text>(texts) |> clean)
}
workflow w_features(texts: file<arrow>) -> (out: table<features>) {
    return (out: read<Text>(texts) |> features)
}
workflow w_by_int(trips: file<arrow>) -> (out: table<by_int>) {
    return (out: read<Trip>(trips) |> by_int)
}
workflow w_by_string(trips: file<arrow>) -> (out: table<by_string>) {
    return (out: read<Trip>(trips) |> by_string)
}
workflow w_joined(trips: file<arrow>, places: file<arrow>) -> (out: table<joined>) {
    let known = read<Place>(places)
    return (out: read<Trip>(trips) |> joined(known))
}

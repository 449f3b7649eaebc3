couler 1

// A week of flights out of New York with a snowstorm in its midst: what it did to each day, which
// airlines and which routes suffered most.

enum Airport { EWR, JFK, LGA }

/// A flight as it was planned and as it went; who never left has neither delay.
schema Flight {
    time_hour: timestamp
    origin:    Airport
    dest:      string where matches(dest, r"^[A-Z]{3}$")
    carrier:   string where length(carrier) == 2
    flight:    int
    dep_delay: int? where dep_delay > -60
    arr_delay: int?
    distance:  int where distance > 0
}

/// An hour of weather at one of the airports; `visib` in miles, `wind_speed` in miles per hour.
schema Weather {
    origin:     Airport
    time_hour:  timestamp
    temp:       float?
    wind_speed: float?
    precip:     float where precip >= 0
    visib:      float where visib >= 0 and visib <= 10
}

schema Airline {
    carrier: string where unique
    name:    string
}

schema Place {
    faa:  string where unique
    name: string
    lat:  float
    lon:  float
}

/// A flight on its day in New York, which is five hours behind UTC in winter.
transform departure(f: Flight) {
    ...f without dep_delay, arr_delay
    day = format_timestamp(f.time_hour - 5 h, "%Y-%m-%d")
    cancelled = if f.dep_delay == none { 1.0 } else { 0.0 }
    late = if (f.dep_delay ?? 0) > 15 { 1.0 } else { 0.0 }
    delay = f.dep_delay
    regained = f.dep_delay - f.arr_delay
}

/// Each day: how late its flights left, at best the later half and the latest tenth, and the worst of
/// its weather. A flight of an hour without weather counts all the same.
transform by_day(flights: table<departure>, weather: table<Weather>) {
    left join weather on flights.origin == weather.origin and flights.time_hour == weather.time_hour
    group by flights.day
    planned = count()
    cancelled = round(mean(flights.cancelled), 3)
    late = round(mean(flights.late), 3)
    half = round(quantile(flights.delay, 0.5), 1)
    tenth = round(quantile(flights.delay, 0.9), 1)
    coldest = min(weather.temp)
    wind = round(max(weather.wind_speed), 1)
    visible = min(weather.visib)
}

transform by_airline(flights: table<departure>, airlines: table<Airline>) {
    join airlines on flights.carrier == airlines.carrier
    group by airline = airlines.name
    planned = count()
    cancelled = round(mean(flights.cancelled), 3)
    late = round(mean(flights.late), 3)
    regained = round(mean(flights.regained), 1)
    where planned >= 20
    order by cancelled desc, airline
}

/// The routes that were late most, of those flown at least `often`.
transform worst_routes(
    flights: table<departure>,
    places: table<Place>,
    often: int = 10,
    most: int = 10,
) {
    left join places on flights.dest == places.faa
    group by flights.origin, flights.dest
    to = first(places.name)
    flown = count(flights.delay)
    delay = round(mean(flights.delay), 1)
    where flown >= often
    order by delay desc
    limit most
}

/// Destinations that the list of airports does not know.
transform strange(flights: table<departure>, places: table<Place>) {
    anti join places on flights.dest == places.faa
    group by flights.dest
    flown = count()
    miles = max(flights.distance)
}

workflow flights(
    flights: file<csv> = "flights.csv.gz",
    weather: file<csv> = "weather.csv",
    airlines: file<csv> = "airlines.csv",
    airports: file<csv> = "airports.csv",
) -> (days: file<csv>, airlines: file<csv>, routes: file<csv>, strange: file<jsonl>) {
    let departures = read<Flight>(flights) |> departure
    let places = read<Place>(airports)
    return (
        days: departures |> by_day(read<Weather>(weather)),
        airlines: departures |> by_airline(read<Airline>(airlines)),
        routes: departures |> worst_routes(places),
        strange: departures |> strange(places),
    )
}

target cluster = argo { image: "couler:1", artifacts: s3(bucket: "flights") }

test "who never left is cancelled, not late" {
    let planned = Flight(
        time_hour: timestamp("2013-02-09T03:00:00Z"),
        origin: JFK,
        dest: "BOS",
        carrier: "B6",
        flight: 1018,
        distance: 187,
    )
    expect departure(planned).day == "2013-02-08"
    expect departure(planned).cancelled == 1.0
    expect departure(planned).late == 0.0
    expect departure(Flight(...planned, dep_delay: 40, arr_delay: 25)).regained == 15
}

test "a day counts its hours without weather" {
    let planned = Flight(
        time_hour: timestamp("2013-02-08T15:00:00Z"),
        origin: EWR,
        dest: "BOS",
        carrier: "UA",
        flight: 1,
        distance: 200,
    )
    let flown = Flight(...planned, origin: LGA, dep_delay: 20, arr_delay: 20)
    let snow = Weather(
        origin: EWR,
        time_hour: timestamp("2013-02-08T15:00:00Z"),
        temp: 30.2,
        wind_speed: 24.2,
        precip: 0.1,
        visib: 0.25,
    )
    expect by_day(departure([planned, flown]), [snow]) ==
        [
            by_day(
                day: "2013-02-08",
                planned: 2,
                cancelled: 0.5,
                late: 0.5,
                half: 20.0,
                tenth: 20.0,
                coldest: 30.2,
                wind: 24.2,
                visible: 0.25,
            ),
        ]
}

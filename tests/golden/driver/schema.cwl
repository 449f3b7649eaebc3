couler 1

enum Payment { card, cash }

enum SomeTripsPayment { card, cash }

/// As the 31 rows of `some-trips.csv`.
schema SomeTrips {
    id:       int where unique
    payment:  Payment?
    // `none of us`, int: left out, since its name is no name of the language
    // `in`, int: left out, since its name is no name of the language
    tip:      float?
    // `2nd`, string: left out, since its name is no name of the language
    mixed:    string
    payment_: SomeTripsPayment
    string:   string
}

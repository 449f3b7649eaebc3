couler 1

enum Payment { card, cash }

enum SomeTripsPayment { card, cash }

/// As the 31 rows of `some-trips.csv`.
schema SomeTrips {
    id:         int where unique
    payment:    Payment?
    none_of_us: int from "none of us"
    column_4:   int from "in"
    tip:        float?
    column_6:   string from "2nd"
    mixed:      string
    payment_:   SomeTripsPayment
    string:     string
}

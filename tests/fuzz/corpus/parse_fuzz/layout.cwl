// Comments before all.

couler   1   // the edition


// A comment of its own.
/// A doc comment
///
/// of two paragraphs.
enum Class
{
    /// not spam
    ham,   // trailing
    spam
    // last
}
import std.text
import "./a.cwl" { a as b,
    c }


workflow long_header(alpha: file<csv> = "comments.csv", beta: map<string, list<int>> = [:], gamma: int = 16) -> (model: file) {
    // first

    let a = f(alpha, // why alpha
        beta: beta,   gamma: [1,2,3]); let b = a

    let c = a_long_name_for_a_value + another_long_name_for_a_value * yet_another_long_name_for_a_value + 1
    let d = rows |> first_transform_with_a_name |> second_transform_with_a_name |> third_transform_with_a_name
    if a == b and // loose
        c == d {
        t(a) after b, c
    }
    let e = call_with_a_long_name(first_argument: "some text that takes room", second_argument: [1, 2, 3, 4, 5])

    // the end of the body
}
task small(f: file) { run ["cat", f] }
task scripted() -> (
    /// what is said
    text: string) {
    run sh """
    text=$(
        date
    )
    """
}
target a = local { jobs: 2 }
target b = argo {
    // where
    namespace: "ml"
    artifacts: s3(bucket: "models", endpoint: "https://storage.example.org/a/rather/long/address/of/it")
}
/// Describes nothing.

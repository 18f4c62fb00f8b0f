//! A browser without scripts: it follows links and redirects, keeps the cookie, fills forms in and sends them.

use scraper::{ElementRef, Html, Selector};

use crate::support::{Answer, Call, Instance, User};

/// Someone who is signed in at the console.
pub struct Browser<'a> {
    instance: &'a Instance,
    pub cookie: String,
}

/// What it shows.
pub struct Page {
    /// Where it is, with its query.
    pub path: String,
    pub answer: Answer,
    pub html: Html,
}

/// A form of a page, with what its fields hold.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    /// What its button says.
    pub words: String,
    pub method: String,
    /// Whether it may hold a file, and is sent in parts.
    pub is_multipart: bool,
    pub fields: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub async fn sign_in(instance: &'a Instance, user: &User) -> Self {
        Self { instance, cookie: instance.console_sign_in(user).await }
    }

    /// The page at `path`, wherever it leads.
    pub async fn open(&mut self, path: &str) -> Page {
        let answer = self.instance.get(path).header("cookie", self.header()).send().await;
        self.arrive(path, answer).await
    }

    /// What the page says to a link or a button of these words.
    pub async fn follow(&mut self, page: &Page, words: &str) -> Page {
        let link = page.links().into_iter().find(|(_, said)| said == words);
        let (path, _) =
            link.unwrap_or_else(|| panic!("no link {words:?} at {}: {:?}", page.path, page.links()));
        self.open(&path).await
    }

    /// Where a form leads.
    pub async fn send(&mut self, form: &Form) -> Page {
        if form.method == "get" {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
            return self.open(&format!("{}?{query}", form.action)).await;
        }
        let answer = self.post(form).send().await;
        self.arrive(&form.action, answer).await
    }

    /// The request that a form makes.
    pub fn post(&self, form: &Form) -> Call {
        if form.is_multipart {
            let call = self.instance.call(http::Method::POST, &form.action).header("cookie", self.header());
            return call
                .body("multipart/form-data; boundary=----browser", form.parts())
                .header("sec-fetch-site", "same-origin");
        }
        let fields: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.instance.form(&form.action, &fields).header("cookie", self.header())
    }

    fn header(&self) -> String {
        format!("cloud.sso={}", self.cookie)
    }

    async fn arrive(&mut self, path: &str, mut answer: Answer) -> Page {
        let mut path = path.to_owned();
        for _ in 0..5 {
            if let Some(value) = answer.headers.get("set-cookie") {
                let value = value.to_str().unwrap().strip_prefix("cloud.sso=").unwrap();
                value.split(';').next().unwrap().clone_into(&mut self.cookie);
            }
            if answer.status != 303 {
                let html = Html::parse_document(std::str::from_utf8(&answer.body).unwrap());
                return Page { path, answer, html };
            }
            answer.header("location").clone_into(&mut path);
            answer = self.instance.get(&path).header("cookie", self.header()).send().await;
        }
        panic!("redirected in circles at {path}");
    }
}

impl Page {
    /// That it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.answer.status, status, "{}: {}", self.path, self.text());
        self
    }

    /// What people read on it.
    pub fn text(&self) -> String {
        self.all("main").first().map(|main| words(*main)).unwrap_or_default()
    }

    /// That it says `part`.
    #[track_caller]
    pub fn says(&self, part: &str) {
        assert!(self.text().contains(part), "{part:?} is not said at {}: {}", self.path, self.text());
    }

    /// The text of the elements that `selector` finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).into_iter().map(words).collect()
    }

    pub fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        let selector = Selector::parse(selector).unwrap();
        self.html.select(&selector).collect()
    }

    /// Its links, each with where it leads and what it says.
    pub fn links(&self) -> Vec<(String, String)> {
        let link = |link: ElementRef<'_>| (link.attr("href").unwrap().to_owned(), words(link));
        self.all("a[href]").into_iter().map(link).collect()
    }

    pub fn forms(&self) -> Vec<Form> {
        self.all("form").into_iter().map(Form::of).collect()
    }

    /// The form whose button says `words`.
    #[track_caller]
    pub fn form(&self, words: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.words == words);
        found.unwrap_or_else(|| panic!("no form {words:?} at {}: {:?}", self.path, self.forms()))
    }

    /// What is said beneath the field of this name, of what is wrong with it.
    pub fn fault(&self, field: &str) -> Option<String> {
        self.texts(&format!("[id=\"{field}-fault\"]")).pop()
    }
}

impl Form {
    fn of(form: ElementRef<'_>) -> Self {
        let all = Selector::parse("input, select, textarea").unwrap();
        let button = Selector::parse("button").unwrap();
        let fields = form.select(&all).filter_map(field).collect();
        Self {
            action: form.attr("action").unwrap().to_owned(),
            words: form.select(&button).next().map(words).unwrap_or_default(),
            method: form.attr("method").unwrap_or("get").to_owned(),
            is_multipart: form.attr("enctype") == Some("multipart/form-data"),
            fields,
        }
    }

    /// The same form with `value` in the field `name`, which is one of its own.
    #[track_caller]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        value.clone_into(&mut field.unwrap_or_else(|| panic!("no field {name:?}")).1);
        self
    }

    /// The same form with exactly these of the boxes `name` checked.
    #[must_use]
    pub fn checking(mut self, name: &str, values: &[&str]) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.extend(values.iter().map(|value| (name.to_owned(), (*value).to_owned())));
        self
    }

    /// The same form without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }

    /// The same form sent by its button of this name and value, which is not its first.
    #[must_use]
    pub fn pressing(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The parts of a form that may hold a file (RFC 7578), with lines ended as a browser ends them.
    fn parts(&self) -> String {
        let part = |(name, value): &(String, String)| {
            let (file, value) = match name.as_str() {
                "file" => ("; filename=\"a.yaml\"\r\nContent-Type: application/octet-stream", value.clone()),
                _ => ("", value.replace("\r\n", "\n").replace('\n', "\r\n")),
            };
            format!(
                "------browser\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
            )
        };
        self.fields.iter().map(part).chain(["------browser--\r\n".to_owned()]).collect()
    }

    /// What a field holds.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// What a field would send, if it sends anything.
fn field(element: ElementRef<'_>) -> Option<(String, String)> {
    let name = element.attr("name")?.to_owned();
    let value = match (element.value().name(), element.attr("type")) {
        ("input", Some("checkbox" | "radio")) => {
            element.attr("checked")?;
            element.attr("value").unwrap_or("on").to_owned()
        }
        ("input", _) => element.attr("value").unwrap_or_default().to_owned(),
        ("textarea", _) => element.text().collect(),
        _ => {
            let options = Selector::parse("option").unwrap();
            let mut options = element.select(&options);
            let first = options.clone().next()?;
            let chosen = options.find(|option| option.attr("selected").is_some()).unwrap_or(first);
            chosen.attr("value").unwrap_or_default().to_owned()
        }
    };
    Some((name, value))
}

/// The words of an element, with one space between.
fn words(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

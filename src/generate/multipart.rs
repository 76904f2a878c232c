//! A form as `multipart/form-data` (RFC 7578): texts of any kind, and one file.

/// A form that is filled in.
#[derive(Debug)]
pub(super) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// An empty one; the name tells it from others, and no part may have it in it.
    pub(super) fn new(name: &str) -> Self {
        Self {
            boundary: format!("erw-{name}"),
            body: Vec::new(),
        }
    }

    /// Adds a text. Names come from settings, where they were checked.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.part(
            &format!("name=\"{name}\""),
            "text/plain; charset=utf-8",
            value.as_bytes(),
        );
    }

    /// Adds a file of that media type.
    pub(super) fn file(&mut self, name: &str, file: &str, mime: &str, bytes: &[u8]) {
        self.part(
            &format!("name=\"{name}\"; filename=\"{file}\""),
            mime,
            bytes,
        );
    }

    fn part(&mut self, names: &str, mime: &str, bytes: &[u8]) {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; {names}\r\nContent-Type: {mime}\r\n\r\n",
            self.boundary
        );
        self.body.extend(head.as_bytes());
        self.body.extend(bytes);
        self.body.extend(b"\r\n");
    }

    /// The type and the body of the request.
    pub(super) fn done(mut self) -> (String, Vec<u8>) {
        self.body
            .extend(format!("--{}--\r\n", self.boundary).as_bytes());
        (
            format!("multipart/form-data; boundary={}", self.boundary),
            self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_between_boundaries_as_they_are() {
        let mut form = Form::new("b");
        form.text("prompt", "say \"hi\"\r\n--x");
        form.file("image", "s.png", "image/png", b"\x89\0");
        let (content_type, body) = form.done();
        assert_eq!(content_type, "multipart/form-data; boundary=erw-b");
        let expected = b"--erw-b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\
            Content-Type: text/plain; charset=utf-8\r\n\r\nsay \"hi\"\r\n--x\r\n\
            --erw-b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"s.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89\0\r\n--erw-b--\r\n";
        assert_eq!(body, expected);
    }
}

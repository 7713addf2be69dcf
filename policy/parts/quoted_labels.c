/* quoted_labels - see quoted_labels.h */

#include "policy/parts/quoted_labels.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes before the colon, and those of quoting before these. */
#define LABEL_LIMIT  48u
#define QUOTES_LIMIT 64u

/* Letters of ASCII are compared in any case; of others each form is in the list. */
static const char *const recipients[] = {
    /* English, and whatever the programs do not translate */
    "To",
    "Cc",
    "Bcc",
    "Recipient",
    "Recipients",
    "Resent-To",
    "Resent-Cc",
    /* German, Dutch, Scandinavian */
    "An",
    "Kopie",
    "Kopie (CC)",
    "Blindkopie",
    "Blindkopie (BCC)",
    "Empfänger",
    "Aan",
    "Kopie aan",
    "Blinde kopie",
    "Til",
    "Till",
    "Kopi",
    "Kopia",
    "Blindkopi",
    "Hemlig kopia",
    "Mottaker",
    "Mottagare",
    "Modtager",
    "Skjult kopi",
    "Afrit",
    /* French, Spanish, Portuguese, Italian, Catalan, Romanian */
    "À",
    "à",
    "A",
    "Pour",
    "Copie à",
    "Copie",
    "Cci",
    "Copie cachée à",
    "Destinataire",
    "Destinataires",
    "Para",
    "Cco",
    "Con copia",
    "Copia",
    "Destinatario",
    "Destinatarios",
    "Destinatário",
    "Destinatários",
    "Com cópia",
    "Ccn",
    "Per",
    "Per conoscenza",
    "Destinatari",
    "Per a",
    "Către",
    "către",
    "Catre",
    "Destinatarul",
    "Destinatar",
    /* Slavic, Baltic */
    "Do",
    "Dw",
    "Udw",
    "Adresat",
    "Do wiadomości",
    "Kopia do",
    "Odbiorca",
    "Odbiorcy",
    "Komu",
    "Skrytá kopie",
    "Příjemce",
    "Pre",
    "Kópia",
    "kópia",
    "Skrytá kópia",
    "Prima",
    "Primatelj",
    "Za",
    "Kome",
    "Kp",
    "Prejemnik",
    "Кому",
    "кому",
    "КОМУ",
    "Копия",
    "копия",
    "Копія",
    "копія",
    "Скрытая копия",
    "Прихована копія",
    "Получатель",
    "Получатели",
    "До",
    "Копие",
    "За",
    "Коме",
    "Kam",
    "Kopija",
    "Kas",
    /* Finnish, Estonian, Hungarian, Turkish, Greek */
    "Vastaanottaja",
    "Vastaanottajat",
    "Kopio",
    "Piilokopio",
    "Saaja",
    "Koopia",
    "Adressaat",
    "Címzett",
    "címzett",
    "Másolat",
    "másolat",
    "Másolatot kap",
    "Titkos másolat",
    "Kime",
    "Bilgi",
    "Kopya",
    "Gizli",
    "Alıcı",
    "Προς",
    "προς",
    "ΠΡΟΣ",
    "Κοιν.",
    "Κοινοποίηση",
    "Κρυφή κοινοποίηση",
    /* Arabic, Hebrew, Persian, Thai, Vietnamese, Indonesian, Hindi */
    "إلى",
    "نسخة",
    "نسخة إلى",
    "אל",
    "עותק",
    "עותק לידיעה",
    "העתק",
    "به",
    "رونوشت",
    "ถึง",
    "สำเนา",
    "สำเนาถึง",
    "Đến",
    "Tới",
    "Đồng gửi",
    "Kepada",
    "Tembusan",
    "प्रति",
    "प्रतिलिपि",
    /* Japanese, Chinese, Korean */
    "宛先",
    "To (宛先)",
    "送信先",
    "受信者",
    "同報",
    "写し",
    "ＣＣ",
    "收件人",
    "收件者",
    "抄送",
    "抄送人",
    "副本",
    "密送",
    "密件副本",
    "密件抄送",
    "发送给",
    "发送至",
    "發送至",
    "받는 사람",
    "받는사람",
    "받는이",
    "수신자",
    "수신",
    "참조",
    "숨은참조",
    "숨은 참조",
};

static const char *const others[] = {
    "From",         "Sent",       "Date",        "Subject",       "Reply-To",    "Importance",   "Attachments",
    "Organization", "Message-ID", "Von",         "Gesendet",      "Datum",       "Betreff",      "Antwort an",
    "Anlagen",      "Priorität",  "Van",         "Verzonden",     "Onderwerp",   "Antwoord aan", "Fra",
    "Från",         "Dato",       "Sendt",       "Skickat",       "Emne",        "Ämne",         "Svar til",
    "Svara till",   "De",         "Envoyé",      "Objet",         "Sujet",       "Répondre à",   "Enviado",
    "Enviado el",   "Enviada em", "Fecha",       "Asunto",        "Responder a", "Data",         "Assunto",
    "Da",           "Inviato",    "Mittente",    "Oggetto",       "Rispondi a",  "De la",        "Expeditorul",
    "Trimis",       "Dată",       "Data",        "Subiect",       "Subiectul",   "Od",           "Nadawca",
    "Wysłano",      "Temat",      "Odesláno",    "Předmět",       "Odoslané",    "Dátum",        "Predmet",
    "Šalje",        "Naslov",     "От",          "Отправлено",    "Отправитель", "Дата",         "Тема",
    "Від",          "Від кого",   "Відправлено", "Надіслано",     "Lähettäjä",   "Lähetetty",    "Päivämäärä",
    "Päiväys",      "Aihe",       "Saatja",      "Feladó",        "Elküldve",    "Tárgy",        "Kimden",
    "Gönderen",     "Gönderilen", "Gönderildi",  "Tarih",         "Konu",        "Από",          "Στάλθηκε",
    "Ημερομηνία",   "Θέμα",       "من",          "تاريخ الإرسال", "الموضوع",     "מאת",          "נשלח",
    "נושא",         "จาก",        "ส่ง",          "วันที่",           "เรื่อง",        "Từ",           "Ngày",
    "Chủ đề",       "Dari",       "Tanggal",     "Perihal",       "差出人",      "送信者",       "送信日時",
    "日時",         "日付",       "件名",        "发件人",        "寄件者",      "寄件人",       "发送时间",
    "發送時間",     "寄件日期",   "日期",        "主题",          "主旨",        "主題",         "보낸 사람",
    "보낸사람",     "보낸 날짜",  "날짜",        "제목",
};

/* All of them in lower case, in order. */
static struct known_label {
    char word[LABEL_LIMIT + 1];
    enum quoted_label label;
} labels[G_N_ELEMENTS(recipients) + G_N_ELEMENTS(others)];
static unsigned char first_bytes[256];

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct known_label *)a)->word, ((const struct known_label *)b)->word);
}

static void add_label(struct known_label *to, const char *name, enum quoted_label label)
{
    to->label = label;
    for (size_t i = 0; name[i] != '\0' && i < LABEL_LIMIT; i++)
        to->word[i] = g_ascii_tolower(name[i]);
    first_bytes[(unsigned char)name[0]] = 1;
    first_bytes[(unsigned char)g_ascii_tolower(name[0])] = 1;
}

static void __attribute__((constructor)) labels_fill(void)
{
    struct known_label *to = labels;

    for (size_t i = 0; i < G_N_ELEMENTS(recipients); i++)
        add_label(to++, recipients[i], LABEL_RECIPIENTS);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        add_label(to++, others[i], LABEL_OTHER);
    qsort(labels, G_N_ELEMENTS(labels), sizeof labels[0], compare_labels);
}

static const bool marks[256] = {
    [' '] = true, ['\t'] = true, ['>'] = true, ['|'] = true, ['*'] = true, ['_'] = true, ['\r'] = true};

/* Bytes of a mark of quoting or emphasis, or a blank, at `p`; 0: it is none. */
static size_t mark_length(const char *p, const char *end)
{
    static const char *const wide[] = {"\302\240",     "\343\200\200", "\357\273\277",
                                       "\342\200\216", "\342\200\217", "\342\200\257"};

    if (p == end)
        return 0;
    if (marks[(unsigned char)*p])
        return 1;
    for (size_t i = 0; (unsigned char)*p >= 0x80 && i < G_N_ELEMENTS(wide); i++)
        if ((size_t)(end - p) >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return 0;
}

/* The end of a name without the marks after it. */
static const char *trim(const char *name, const char *end)
{
    const char *last = name;

    for (const char *p = name; p < end;) {
        size_t mark = mark_length(p, end);
        p += mark > 0 ? mark : 1;
        if (mark == 0)
            last = p;
    }
    return last;
}

enum quoted_label quoted_label(const char *line, size_t length, size_t *after)
{
    const char *name = line, *end = line + length, *limit = line + MIN(length, QUOTES_LIMIT);
    struct known_label wanted;
    size_t mark;

    while ((mark = mark_length(name, limit)) > 0)
        name += mark;
    if (name == end || first_bytes[(unsigned char)*name] == 0)
        return LABEL_NONE;
    const char *colon = name;
    limit = name + MIN((size_t)(end - name), LABEL_LIMIT);
    while (colon < limit && *colon != ':' && *colon != '@' && *colon != '\n' &&
           !(*colon == '\357' && limit - colon > 2 && memcmp(colon, "\357\274\232", 3) == 0))
        colon++;
    if (colon == limit || *colon == '@' || *colon == '\n')
        return LABEL_NONE;
    const char *name_end = trim(name, colon);
    for (size_t i = 0; i < (size_t)(name_end - name); i++)
        wanted.word[i] = g_ascii_tolower(name[i]);
    wanted.word[name_end - name] = '\0';
    *after = (size_t)(colon - line) + (*colon == ':' ? 1 : 3);
    const struct known_label *found = bsearch(&wanted, labels, G_N_ELEMENTS(labels), sizeof labels[0], compare_labels);
    return found == NULL ? LABEL_NONE : found->label;
}

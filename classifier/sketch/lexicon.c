/* lexicon.c - words of many languages that mean one thing. */
#include "classifier/sketch/lexicon.h"

#include "classifier/sketch/words.h"
#include "common/base/check.h"
#include "common/base/mem.h"

#define SLOT_LOG   12u
#define SLOT_COUNT (1u << SLOT_LOG) /* more than twice the words below */
#define THEME_BITS 5u
#define MOVES_MAX  100u

_Static_assert(THEME_NONE < 1u << THEME_BITS, "a theme has its bits");

/* A word is in one of two slots: the upper bits of its hash, and its theme. A
 * look at both tells, with no branch: whether a word has a theme is as good as
 * chance. */
struct lexicon {
    uint32_t slots[SLOT_COUNT]; /* 0: empty */
};

/* In the order: English, German, French, Spanish, Portuguese, Italian, Dutch,
 * Polish, Swedish, Turkish, Russian, Japanese, Chinese, Korean, Arabic. */
static const char *const themes[THEME_COUNT] = {
    [THEME_LEAVING] =
        "unsubscribe unsubscribed preferences subscribed subscription opt "
        "receiving subscriber subscribers "
        "abmelden abbestellen austragen "
        "désabonner désabonnement désinscrire désinscription "
        "baja desuscribirse suscribirse suscripción preferencias "
        "descadastrar descadastre inscrição preferências cancelar "
        "disiscriviti disiscriversi disiscrizione preferenze "
        "uitschrijven afmelden voorkeuren wypisz wypisać subskrypcji "
        "avregistrera avprenumerera avanmäl abonelikten "
        "отписаться отписка подписку подписки "
        "配信停止 配信解除 退订 取消订阅 수신거부 구독취소",
    [THEME_SECRET] =
        "password passcode passkey otp reset verify verification verified "
        "confirm confirmation code login signin authenticate authentication "
        "authenticator credentials pin security activate activation link "
        "magic "
        "passwort kennwort bestätigen bestätigung bestätigungscode code "
        "anmeldung anmelden zurücksetzen sicherheitscode zugangscode "
        "mot passe réinitialiser réinitialisation vérifier vérification "
        "confirmer connexion "
        "contraseña restablecer verificar verificación confirmar código "
        "acceso "
        "senha redefinir verificação código confirme "
        "reimposta reimpostare verifica codice conferma accesso "
        "wachtwoord bevestigen verificatiecode inloggen aanmelden "
        "hasło hasła kod weryfikacyjny potwierdź zaloguj "
        "lösenord återställ verifiera bekräfta kod inloggning "
        "şifre şifrenizi parola doğrulama kodu onaylayın giriş "
        "пароль пароля код подтверждения подтвердите вход сброс "
        "パスワード 認証 確認 コード 密码 验证 验证码 重置 登录 비밀번호 인증 "
        "확인 로그인 인증번호 كلمة المرور رمز التحقق تأكيد",
    [THEME_ORDER] =
        "order orders invoice receipt payment paid purchase refund refunded "
        "billing billed charge charged total subtotal amount vat tax "
        "statement due balance quantity qty transaction "
        "bestellung bestellnummer rechnung rechnungsnummer zahlung betrag "
        "gesamt summe mwst erstattung kontoauszug fällig lastschrift "
        "commande facture reçu paiement montant tva remboursement achat "
        "relevé "
        "pedido factura recibo pago importe total iva reembolso compra "
        "pedido fatura recibo pagamento valor reembolso boleto "
        "ordine fattura ricevuta pagamento importo rimborso acquisto "
        "bestelling factuur betaling bedrag btw terugbetaling "
        "zamówienie zamówienia faktura płatność kwota zwrot "
        "beställning order faktura kvitto betalning belopp moms "
        "sipariş siparişiniz fatura ödeme tutar iade "
        "заказ заказа счет счёт оплата платеж платёж сумма возврат чек "
        "注文 請求 領収 支払 お支払い 合計 订单 发票 付款 金额 退款 주문 결제 "
        "영수증 청구 금액 طلب الطلب فاتورة الدفع المبلغ",
    [THEME_DELIVERY] =
        "shipped shipping shipment delivery delivered parcel package tracking "
        "courier carrier dispatched arriving arrive pickup "
        "versand versandt sendung sendungsnummer paket lieferung zugestellt "
        "zustellung lieferadresse abholen "
        "livraison colis expédié expédition suivi livré retrait "
        "envío enviado paquete entrega entregado seguimiento "
        "envio enviado encomenda entrega entregue rastreio rastreamento "
        "spedizione spedito pacco consegna consegnato tracciamento "
        "verzonden bezorging pakket bezorgd levering track "
        "przesyłka paczka dostawa wysłane nadana śledzenie "
        "paket leverans skickat skickad spårning levererad "
        "kargo kargoya teslimat teslim takip "
        "доставка доставлен отправлен посылка отслеживание "
        "配送 発送 お届け 荷物 追跡 发货 快递 配送 送达 배송 배달 택배 شحن "
        "الشحن التوصيل",
    [THEME_VISIT] =
        "booking booked reservation appointment itinerary flight boarding "
        "check-in checkin departure arrival gate seat ticket tickets guest "
        "guests reminder scheduled rescheduled "
        "buchung reservierung termin terminerinnerung flug abflug gast "
        "erinnerung "
        "réservation rendez vous vol départ billet rappel séjour "
        "reserva cita vuelo salida billete recordatorio "
        "reserva consulta voo embarque bilhete lembrete "
        "prenotazione appuntamento volo partenza biglietto promemoria "
        "boeking afspraak vlucht vertrek herinnering "
        "rezerwacja wizyta lot bilet przypomnienie "
        "bokning tid flyg avgång biljett påminnelse "
        "rezervasyon randevu uçuş bilet hatırlatma "
        "бронирование запись рейс вылет билет напоминание "
        "予約 搭乗 出発 預訂 预订 预约 航班 예약 탑승 항공편 حجز الحجز موعد "
        "رحلة",
    [THEME_ACCOUNT] =
        "account profile settings username dashboard plan workspace member "
        "device browser session invited invitation invite joined team "
        "konto profil einstellungen benutzername gerät einladung eingeladen "
        "compte profil paramètres appareil invitation invité "
        "cuenta perfil ajustes dispositivo invitación invitado "
        "conta perfil configurações dispositivo convite convidou "
        "account profilo impostazioni dispositivo invito invitato "
        "profiel instellingen apparaat uitnodiging uitgenodigd "
        "konta profil ustawienia urządzenie zaproszenie "
        "konto inställningar enhet inbjudan "
        "hesap hesabınız profil ayarlar cihaz davet "
        "аккаунт учетной записи профиль настройки устройство приглашение "
        "アカウント 設定 招待 端末 账户 账号 设置 设备 邀请 계정 설정 기기 "
        "초대 "
        "حساب حسابك",
    [THEME_ALERT] =
        "failed failure declined unusual suspicious detected alert warning "
        "error unable blocked suspended overdue exceeded limit down outage "
        "incident resolved triggered build "
        "fehlgeschlagen fehler ungewöhnlich warnung gesperrt überfällig "
        "échec échoué erreur inhabituelle alerte suspendu "
        "fallido error inusual alerta suspendida rechazado "
        "falhou erro alerta suspensa recusado "
        "fallito errore insolito avviso sospeso rifiutato "
        "mislukt fout ongebruikelijk waarschuwing geblokkeerd "
        "nieudana błąd nietypowe ostrzeżenie zablokowane "
        "misslyckades fel ovanlig varning "
        "başarısız hata olağandışı uyarı "
        "ошибка сбой подозрительная предупреждение заблокирован "
        "失敗 エラー 警告 失败 错误 警告 异常 실패 오류 경고",
    [THEME_OFFER] =
        "sale discount offer offers deal deals save savings coupon promo "
        "promotion free shop exclusive limited hurry today bonus gift gifts "
        "clearance bestseller bestsellers collection price prices off "
        "limited-time flash cart "
        "rabatt angebot angebote gutschein gutscheincode sparen aktion "
        "kostenlos jetzt exklusiv geschenk nur preise schnäppchen shoppen "
        "soldes remise réduction offre offres promo gratuit profitez "
        "exclusif économisez cadeau découvrez prix "
        "oferta ofertas descuento rebajas gratis ahorra exclusivo regalo "
        "cupón aprovecha descubre precios "
        "desconto descontos promoção ofertas grátis aproveite economize "
        "cupom presente exclusivo "
        "sconto sconti offerta offerte saldi gratis risparmia esclusivo "
        "regalo scopri approfitta "
        "korting aanbieding aanbiedingen gratis bespaar actie cadeau nu "
        "exclusief "
        "promocja rabat zniżka okazja wyprzedaż darmowa oszczędź prezent "
        "rea erbjudande erbjudanden rabatt gratis spara handla present "
        "indirim fırsat kampanya ücretsiz hediye alışveriş kaçırmayın "
        "скидка скидки скидку распродажа акция бесплатно подарок выгодно "
        "промокод купить "
        "セール クーポン 割引 限定 無料 特典 お得 优惠 折扣 促销 限时 免费 "
        "특가 할인 쿠폰 무료 혜택 이벤트 خصم عرض عروض مجانا تخفيضات",
    [THEME_NEWS] =
        "newsletter issue edition weekly monthly digest webinar blog article "
        "articles read podcast stories story episode roundup subscribe "
        "announcing introducing launch launched features conference "
        "workshop register speakers community interview trends "
        "ausgabe artikel lesen neuigkeiten weiterlesen podcast wochenrückblick "
        "veranstaltung mitglieder "
        "lettre édition actualités lire article événement nouveautés "
        "boletín edición noticias leer artículo novedades evento "
        "boletim edição notícias leia artigo novidades "
        "edizione notizie leggi articolo novità evento "
        "nieuwsbrief editie nieuws lees artikel evenement "
        "newsletter wydanie aktualności czytaj artykuł wydarzenie "
        "nyhetsbrev utgåva nyheter läs artikel "
        "bülten haberler sayı okuyun etkinlik yazı "
        "рассылка выпуск новости читать читайте статья вебинар дайджест "
        "ニュース メルマガ 記事 特集 号 新闻 期刊 资讯 文章 活动 뉴스레터 소식 "
        "기사 웨비나 النشرة أخبار",
    [THEME_CAUSE] =
        "donate donation donations petition vote election campaign volunteer "
        "supporters fundraising contribute chip pledge charity "
        "spenden spende petition wählen ehrenamt unterstützen "
        "don dons pétition voter élection soutenir bénévole "
        "donar donación petición votar elecciones voluntario "
        "doar doação petição votar eleição "
        "donare donazione petizione votare "
        "doneren donatie petitie stemmen "
        "darowizna petycja głosować wesprzyj "
        "donera gåva bağış пожертвование пожертвовать 寄付 募金 捐款 기부",
    [THEME_IGNORE] =
        "ignore disregard request requested unauthorized recognize recognise "
        "unexpected didn't "
        "ignorieren angefordert angefragt veranlasst erkennen "
        "ignorer ignorez demandé demande reconnaissez "
        "ignorar ignora ignore solicitado solicitud solicitaste "
        "solicitou solicitação desconsidere reconoces reconhece "
        "ignora richiesto richiesta riconosci "
        "negeer aangevraagd verzoek zignoruj prosiłeś "
        "ignorera begärt dikkate almayın talep "
        "проигнорируйте запрашивали запрос 心当たり 忽略 请求 무시 요청",
    [THEME_EXPIRY] =
        "expire expires expired expiring valid hours minutes "
        "gültig läuft stunden minuten expire valable heures "
        "caduca caducará válido horas minutos expira "
        "scade scadrà valido ore minuti verloopt geldig uur minuten "
        "wygasa ważny godzin minut giltig timmar minuter "
        "geçerli saat dakika действителен действует часов минут часа "
        "有効 期限 有效 分钟 过期 유효 만료",
    [THEME_WARMTH] =
        "thanks regards cheers love best sincerely hi hey dear hugs xx "
        "wrote attached tomorrow yesterday tonight weekend lunch dinner mum "
        "mom dad kids sorry maybe guess think "
        "grüße grüßen lg gruß liebe hallo danke schrieb morgen gestern "
        "cordialement bisous merci bonjour amitiés salut écrit demain hier "
        "saludos abrazo gracias hola besos escribió mañana ayer "
        "abraço abraços obrigado obrigada olá beijos escreveu amanhã ontem "
        "saluti ciao grazie baci scritto domani ieri "
        "groeten groetjes hoi bedankt schreef morgen gisteren "
        "pozdrawiam cześć dzięki jutro wczoraj "
        "hälsningar hej tack kram imorgon igår "
        "selamlar sevgiler teşekkürler merhaba yarın dün "
        "уважением привет спасибо завтра вчера обнимаю "
        "よろしく 明日 昨日 谢谢 明天 昨天 감사 내일 어제",
    [THEME_LEGAL] =
        "copyright rights reserved inc llc ltd gmbh registered privacy terms "
        "trademark policy limited address "
        "datenschutz impressum geschäftsführer handelsregister "
        "confidentialité mentions légales siège "
        "privacidad aviso derechos reservados privacidade direitos "
        "riservati diritti sede legale privacybeleid kvk "
        "prawa zastrzeżone regulamin rättigheter gizlilik saklıdır "
        "права защищены конфиденциальности 株式会社 プライバシー 版权 隐私 "
        "개인정보 저작권",
    [THEME_YOU] =
        "you your yours you're you'll you've "
        "sie ihr ihre ihren ihrem ihrer dein deine du dir dich "
        "vous votre vos toi ton tes usted su sus tu tus você seu sua seus "
        "suas tuo tua je jouw uw ty twój twoje din ditt dig du siz sizin "
        "вы ваш ваша ваше ваши вас вам あなた 您的 你的 귀하",
    [THEME_ME] =
        "i me my mine i'm i'll i've i'd "
        "ich mein meine mir mich je mon ma mes moi yo mi mis eu meu minha io "
        "mio mia ik mijn mij ja mój moje jag min mitt mig ben benim "
        "я мой моя мне меня",
    [THEME_WE] =
        "we our us we're we've we'll "
        "wir unser unsere unseren uns nous notre nos nosotros nuestro nuestra "
        "nós nosso nossa noi nostro nostra wij ons onze my nasz nasze vi vår "
        "våra oss biz bizim мы наш наша нас нам 弊社 我们 저희",
};

/* What a slot knows a word by: 26 bits of its hash, and one that makes it no empty
 * slot's. With two slots to look at, a third of them full, a word without a theme
 * is taken for one that has one once in a hundred million. */
static uint32_t name_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) >> THEME_BITS | 1u;
}

static uint32_t first_slot(uint64_t hash)
{
    return hash & (SLOT_COUNT - 1);
}

/* Where a word may be that is not in that slot. */
static uint32_t other_slot(uint32_t slot, uint32_t name)
{
    return slot ^ (name * 0x9E3779B1u >> (32 - SLOT_LOG));
}

/* The theme where the slot has that name, else THEME_NONE. */
static uint32_t theme_in(uint32_t slot, uint32_t name)
{
    return slot >> THEME_BITS == name ? slot & ((1u << THEME_BITS) - 1)
                                      : THEME_NONE;
}

/* THEME_NONE is above all themes. */
static inline uint32_t find_theme(const struct lexicon *lexicon, uint64_t hash)
{
    const uint32_t name = name_of(hash);
    const uint32_t at = first_slot(hash);
    const uint32_t one = theme_in(lexicon->slots[at], name);
    const uint32_t other = theme_in(lexicon->slots[other_slot(at, name)], name);
    return one < other ? one : other;
}

/* The first theme that has a word keeps it. What is in its slot moves to the
 * other that it may be in, and so on. */
static void learn(struct lexicon *lexicon, unsigned theme, uint64_t hash)
{
    if (find_theme(lexicon, hash) != THEME_NONE)
        return;
    uint32_t held = name_of(hash) << THEME_BITS | theme;
    uint32_t at = first_slot(hash);
    for (unsigned moves = 0; held != 0; moves++) {
        CHECK(moves < MOVES_MAX);
        const uint32_t moved = lexicon->slots[at];
        lexicon->slots[at] = held;
        held = moved;
        at = other_slot(at, held >> THEME_BITS);
    }
}

struct lexicon *lexicon_new(void)
{
    struct lexicon *lexicon = NEW(struct lexicon);
    size_t count = 0;
    for (unsigned theme = 0; theme < THEME_COUNT; theme++) {
        struct words words;
        struct word word;
        words_init(&words, slice_text(themes[theme]), NULL);
        for (; words_next(&words, &word); count++)
            learn(lexicon, theme, word.hash);
    }
    CHECK(count < SLOT_COUNT / 2);
    return lexicon;
}

void lexicon_free(struct lexicon **lexicon)
{
    mem_free(steal(*lexicon));
}

unsigned lexicon_theme(const struct lexicon *lexicon, uint64_t hash)
{
    return find_theme(lexicon, hash);
}

void lexicon_count(const struct lexicon *lexicon, const uint64_t *hashes,
                   uint32_t count, uint32_t counts[THEME_COUNT])
{
    uint32_t all[THEME_NONE + 1] = { 0 };
    for (uint32_t i = 0; i < count; i++)
        all[find_theme(lexicon, hashes[i])]++;
    for (unsigned theme = 0; theme < THEME_COUNT; theme++)
        counts[theme] += all[theme];
}

const char *theme_name(unsigned theme)
{
    static const char *const names[THEME_COUNT] = {
        [THEME_LEAVING] = "unsubscribe",
        [THEME_SECRET] = "credentials",
        [THEME_ORDER] = "order",
        [THEME_DELIVERY] = "delivery",
        [THEME_VISIT] = "booking",
        [THEME_ACCOUNT] = "account",
        [THEME_ALERT] = "alert",
        [THEME_OFFER] = "offer",
        [THEME_NEWS] = "news",
        [THEME_CAUSE] = "cause",
        [THEME_IGNORE] = "not-requested",
        [THEME_EXPIRY] = "expiry",
        [THEME_WARMTH] = "personal-tone",
        [THEME_LEGAL] = "legal",
        [THEME_YOU] = "you",
        [THEME_ME] = "me",
        [THEME_WE] = "we",
    };
    return names[theme];
}

const char *theme_subject_name(unsigned theme)
{
    static const char *const names[THEME_COUNT] = {
        [THEME_LEAVING] = "subject-unsubscribe",
        [THEME_SECRET] = "subject-credentials",
        [THEME_ORDER] = "subject-order",
        [THEME_DELIVERY] = "subject-delivery",
        [THEME_VISIT] = "subject-booking",
        [THEME_ACCOUNT] = "subject-account",
        [THEME_ALERT] = "subject-alert",
        [THEME_OFFER] = "subject-offer",
        [THEME_NEWS] = "subject-news",
        [THEME_CAUSE] = "subject-cause",
        [THEME_IGNORE] = "subject-not-requested",
        [THEME_EXPIRY] = "subject-expiry",
        [THEME_WARMTH] = "subject-personal-tone",
        [THEME_LEGAL] = "subject-legal",
        [THEME_YOU] = "subject-you",
        [THEME_ME] = "subject-me",
        [THEME_WE] = "subject-we",
    };
    return names[theme];
}
